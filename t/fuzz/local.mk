# t/fuzz: one harness a parser, with inputs in corpus/NAME.  To add one:
#   check_PROGRAMS += t/fuzz/fuzz-NAME
#   t_fuzz_fuzz_NAME_SOURCES = t/fuzz/fuzz-NAME.c $(FUZZ_MAIN)
#   t_fuzz_fuzz_NAME_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
#   t_fuzz_fuzz_NAME_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
#   t_fuzz_fuzz_NAME_LDADD = ...
if FUZZ
FUZZ_MAIN =
FUZZ_FLAGS = -fsanitize=fuzzer,address,undefined
else
FUZZ_MAIN = t/fuzz/replay.c
FUZZ_FLAGS =
endif

TAPS += t/fuzz/replay.t
EXTRA_DIST += t/fuzz/corpus t/fuzz/fuzz.h t/fuzz/replay.c
