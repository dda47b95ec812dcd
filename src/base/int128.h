/* 128-bit integers, which ISO C does not name: the accumulators of exact distances. */
#ifndef BASE_INT128_H
#define BASE_INT128_H

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

#endif
