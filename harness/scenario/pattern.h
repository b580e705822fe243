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

/* As inet_pton() has them, which takes no zero in front of another digit of IPv4. */
#define OCTET "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define IPV4 OCTET "([.]" OCTET "){3}"
#define WORD "[0-9a-fA-F]{1,4}"
#define LAST "(" WORD ":" WORD "|" IPV4 ")" /* 32 bits */
#define BEHIND(most) "((" WORD ":){0," most "}" LAST "|" WORD ")?"
#define BEFORE(n) "(" WORD ":){" n "}" WORD "::"
#define IPV6 \
	"(" WORD ":){6}" LAST "|::" BEHIND("5") "|" WORD "::" BEHIND("4") "|" BEFORE("1") \
		BEHIND("3") "|" BEFORE("2") BEHIND("2") "|" BEFORE("3") \
			BEHIND("1") "|" BEFORE("4") "(" LAST "|" WORD \
						    ")?|" BEFORE("5") "(" WORD ")?|" BEFORE("6")
#define ADDRESS "(" IPV4 "|" IPV6 ")"

/* Of these what can be no host's (places_nobodys()). */
#define NOBODYS \
	"(::[fF]{4}:)?(0[.]0[.]0[.]0|255[.]255[.]255[.]255|2(2[4-9]|3[0-9])[.].*)|[0:]+(0[.]0[.]" \
	"0[.]" \
	"0)?|[fF]{2}[0-9a-fA-F]{2}:.*"

#define STRING(pattern) "\"type\": \"string\", \"pattern\": \"^(" pattern ")$\""
#define A_STRING(pattern) "{" STRING(pattern) "}"
