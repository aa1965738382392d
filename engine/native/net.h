// A net in memory: what prepare.cpp checks and lays out, and net.cpp runs.
#pragma once

#include "hourbit.h"
#include "kernels.h"

namespace hourbit {

constexpr int MAX_SIDE = 512, MAX_CHANNELS = 1024, ALIGN = 64;
constexpr int TICK_ROWS = 2;  // rows that a step of a wave does at a time; even, for the pool

// The head of one allocation; a net keeps them in a list.
struct Block {
    Block *next;
};

// How a wave lays a step's float map out: `rows` rows of `pitch` values in turn, 0 = the whole map.
struct Ring {
    int32_t rows;
    int64_t pitch;
};

// A checked step: the arguments of the kernel that `op` names.
struct Step {
    int32_t op;
    int32_t wave;   // first step of the wave that it belongs to
    int32_t rows;   // of the wave
    int32_t delay;  // ticks behind the wave's first step
    Ring source, other, target;
    Conv conv;
    Stem stem;
    Sign sign;
    Pool pool;
    UpAdd up_add;
    Head head;
};

}  // namespace hourbit

struct HbNet {
    const hourbit::Kernels *kernels;
    hourbit::Block *blocks;
    int64_t memory;
    int32_t step_count, buffer_count, image_side;
    hourbit::Step *steps;
    HbBuffer *buffers;
    void **data;
    int16_t *image;
    int64_t logits;
};

namespace hourbit {

// Sets the calling thread's last error; always false.
bool fail(const char *format, ...);

// Zeroed and aligned, freed with the net; a register's width may be read past the end. Null on failure.
void *allocate(HbNet *net, int64_t bytes);

// Checks one step against the net's buffers and packs its weights; false with the last error set.
bool prepare(HbNet *net, const HbStep &from, Step &to);

// Sets every step's wave, rows, delay and rings.
void plan_waves(HbNet *net, const HbStep *steps);

static inline int64_t area(int side, int channels) { return static_cast<int64_t>(side) * side * channels; }

}  // namespace hourbit
