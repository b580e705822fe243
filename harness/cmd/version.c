#include "cmd/command.h"

const char *lastport_version(void)
{
	return VERSION;
}
