# t/perf: instructions are counted, and compared with what they were
check_PROGRAMS += t/perf/perf
t_perf_perf_SOURCES = t/perf/perf.c bench/store-int.h bench/store-fill.c
t_perf_perf_LDADD = $(LIBSTORE) $(LIBMIME) $(LIBBASE)

TAPS += t/perf/instructions.t
EXTRA_DIST += t/perf/instructions.txt
