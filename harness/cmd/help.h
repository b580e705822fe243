/* help.h - usage and help, made of the commands' tables. At most 80 columns; the global one
 * fits a screen. */
#pragma once

#include "cmd/command.h"

void help_write(struct out *out);
void help_write_command(struct out *out, const struct command *command);
