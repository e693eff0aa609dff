/* t/fuzz/replay.c - runs a fuzz harness over files, with any compiler */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "t/fuzz/fuzz.h"

enum { INPUT_MAX = 4 * 1024 * 1024 };

static unsigned long inputs;

static void
run_file(const char *path)
{
	unsigned char *p = malloc(INPUT_MAX);
	FILE *f = fopen(path, "rb");
	unsigned char *exact;
	size_t n;

	if (p == NULL || f == NULL) {
		perror(path);
		exit(1);
	}
	n = fread(p, 1, INPUT_MAX, f);
	fclose(f);
	/* A copy of its own size, so that reading past it is seen. */
	if ((exact = malloc(n > 0 ? n : 1)) == NULL)
		exit(1);
	memcpy(exact, p, n);
	free(p);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	inputs++;
}

static void
run_dir(const char *path)
{
	struct dirent **e;
	int n = scandir(path, &e, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char file[4096];

		snprintf(file, sizeof(file), "%s/%s", path, e[i]->d_name);
		if (e[i]->d_name[0] != '.')
			run_file(file);
		free(e[i]);
	}
	if (n >= 0)
		free(e);
}

int
main(int argc, char **argv)
{
	LLVMFuzzerTestOneInput((const unsigned char *)"", 0);
	for (int i = 1; i < argc; i++) {
		struct stat st;

		/* libFuzzer's options; it replays only with -runs=0. */
		if (argv[i][0] == '-')
			continue;
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			run_dir(argv[i]);
		else
			run_file(argv[i]);
	}
	printf("%lu inputs\n", inputs);
	return 0;
}
