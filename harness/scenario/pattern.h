/* pattern.h - what a value of a scenario looks like, for the schema: regular expressions as JSON has
 * them ("\\." is a dot), and the pieces of JSON that they stand in.
 */
#pragma once

#define NUMBER "[0-9]+(\\\\.[0-9]+)?"
#define COUNT NUMBER "[kM]?"
#define TIME NUMBER "(us|ms|s|m|h)"
#define RATE NUMBER "[kM]?/(s|min)"
#define SHARE NUMBER "%?"
#define NAME "[a-z0-9][a-z0-9-]{0,62}"

#define STRING(pattern) "\"type\": \"string\", \"pattern\": \"^(" pattern ")$\""
#define A_STRING(pattern) "{" STRING(pattern) "}"
