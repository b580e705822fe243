/* untouched.h - the machine is as before each test: its sysctls under net., links, routes and
 * processes, and this process's own namespace and descriptors.
 */
#pragma once

void machine_remember(void);
void machine_compare(void); /* fails the test, and names what differs */
