/* starve.h - what programs say when ports run out: each is asked for 64 connections where there
 * are 32 ports, and so is lastport.
 *
 * Output: a table on stdout; words of the programs are escaped.
 */
#pragma once

#include <jansson.h>

void starve_all(json_t *all); /* an array: a row each */
