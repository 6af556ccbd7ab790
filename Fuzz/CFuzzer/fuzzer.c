#include "fuzzer.h"

#include <stdlib.h>
#include <string.h>

extern int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));

int fuzzer_run(int argc, char **argv, fuzzer_callback callback) { return LLVMFuzzerRunDriver(&argc, &argv, callback); }

void fuzzer_set_environment(const char *name, const uint8_t *value, size_t size)
{
	// setenv() never gives back what it once stored: millions of values would fill the memory.
	static struct {
		char text[8192];
	} variables[4];
	size_t length = strlen(name), index = 0;
	for (; index < 3; index++) {
		const char *taken = variables[index].text;
		if (!*taken || (!strncmp(taken, name, length) && taken[length] == '=')) break;
	}
	char *text = variables[index].text;
	size_t room = sizeof(variables[index].text) - length - 2;
	if (size > room) size = room;
	memcpy(text, name, length);
	text[length] = '=';
	memcpy(text + length + 1, value, size);
	text[length + 1 + size] = 0;
	putenv(text);
}
