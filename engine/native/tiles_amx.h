// Tiles of AMX: 16 pixels x 64 products, 64 products x 16 channels, and their 16 x 16 sums.
#pragma once

#include "lanes_avx512.h"
#include "layers.h"

namespace hourbit {
namespace {

constexpr int CHUNK = 64;         // products that an instruction adds up; bytes of a tile's row
constexpr int TILE = N * CHUNK;   // bytes
constexpr int SUMS = TILE / 4;    // int32 values of a tile

// The loads of tiles do not tell g++ that they read memory: what was written before must really be there.
inline void all_written() { __asm__ volatile("" ::: "memory"); }

// Whether tiles can be used ends with the object: the processor saves their 8 KB only while they are in use.
struct Tiles {
    Tiles() {
        struct {
            uint8_t palette, first_row, none[14];
            uint16_t row_bytes[16];
            uint8_t rows[16];
        } config;
        memset(&config, 0, sizeof config);
        config.palette = 1;
        for (int i = 0; i < 8; ++i) {
            config.row_bytes[i] = CHUNK;
            config.rows[i] = N;
        }
        all_written();
        _tile_loadconfig(&config);
    }
    ~Tiles() { _tile_release(); }
};

}  // namespace
}  // namespace hourbit
