#include "base/draw.h"

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t draw(uint64_t seed, uint64_t stream, uint64_t i)
{
	const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);

	return mix(mix(mix(seed + golden) + (stream + 1) * golden) + (i + 1) * golden);
}

uint64_t draw_below(uint64_t seed, uint64_t stream, uint64_t i, uint64_t n)
{
	return (uint64_t)((unsigned __int128)draw(seed, stream, i) * n >> 64);
}

double draw_share(uint64_t seed, uint64_t stream, uint64_t i)
{
	return (double)(draw(seed, stream, i) >> 11) * 0x1p-53;
}
