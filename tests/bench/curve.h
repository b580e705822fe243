/* curve.h - the points of one curve, as a picture and as JSON.
 *
 * Units: of x, what the curve says; nanoseconds.
 */
#pragma once

#include <jansson.h>

#include "base/out.h"
#include "report/chart.h"

enum { POINTS_MOST = 8 };

struct curve_point {
	double x;
	double connections; /* that were opened */
	double time_ns;	    /* until all were */
	double cpu_ns;	    /* a connection */
	double dump_ns;	    /* one dump of the sockets, all of them open; 0: there was none */
	bool more_than;	    /* time was up before that */
	char skipped[200];  /* why it was not run; empty: it was */
};

struct curve {
	const char *name, *order;
	const char *says; /* what the order is, for a legend */
	struct curve_point points[POINTS_MOST];
	int count;
};

/* What a picture shows of each of its curves. */
struct curve_picture {
	const char *file, *title, *x, *y;
	double (*of)(const struct curve_point *);
};

/* False: there is nothing to draw. */
bool curve_draw(struct out *out, const struct curve_picture *picture, const struct curve *curves,
		int count, const char *about, struct arena scratch);

/* Into a file. False: errno says why; where there is nothing to draw it is ENODATA, and the file is
 * as it was. */
bool curve_save(const char *file, const struct curve_picture *picture, const struct curve *curves,
		int count, const char *about);

json_t *curve_json(const struct curve *curve);
