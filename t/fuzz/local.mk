# t/fuzz: one harness a parser, with inputs in corpus/NAME.  To add one:
#   check_PROGRAMS += t/fuzz/fuzz-NAME
#   t_fuzz_fuzz_NAME_SOURCES = t/fuzz/fuzz-NAME.c $(FUZZ_MAIN)
#   t_fuzz_fuzz_NAME_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
#   t_fuzz_fuzz_NAME_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
#   t_fuzz_fuzz_NAME_LDADD = ...
# With --enable-fuzz all of Culver is built with coverage and sanitizers:
#   t/fuzz/fuzz-NAME -max_total_time=60 NEWDIR .../t/fuzz/corpus/NAME
if FUZZ
FUZZ_MAIN =
FUZZ_FLAGS = -fsanitize=fuzzer
else
FUZZ_MAIN = t/fuzz/replay.c
FUZZ_FLAGS =
endif

check_PROGRAMS += t/fuzz/fuzz-text
t_fuzz_fuzz_text_SOURCES = t/fuzz/fuzz-text.c $(FUZZ_MAIN)
t_fuzz_fuzz_text_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_text_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_text_LDADD = $(LIBBASE)

TAPS += t/fuzz/replay.t
EXTRA_DIST += t/fuzz/corpus t/fuzz/fuzz.h t/fuzz/replay.c
