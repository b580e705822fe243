/* words.h - the words of result.json that are nobody else's. */
#pragma once

#include "report/result.h"
#include "words/words.h"

const char *kind_word(enum measure_kind kind); /* "count", "share", "time", "rate", "flag" */
int kind_find(struct text word);	       /* or -1 */

/* Where the sysctls of a namespace stand: "sysctl", "server_sysctl", "gateway_sysctl". */
const char *settings_word(enum setting_where where);
