// A net in memory: what prepare.cpp checks and lays out, and net.cpp runs.
#pragma once

#include "hourbit.h"
#include "kernels.h"
#include "team.h"

namespace hourbit {

constexpr int MAX_SIDE = 512, MAX_CHANNELS = 1024, ALIGN = 64;

// The head of one allocation; a net keeps them in a list.
struct Block {
    Block *next;
};

// Maps of bits with a ring; `falling` has a bit for each channel.
struct Around {
    int side, words;
    const uint32_t *source;
    uint32_t *bits;
    const uint32_t *falling;
};

// A checked step: the arguments of the kernel that `op` names.
struct Step {
    int32_t op;
    int32_t rows;   // done in all
    bool chained;   // writes a line that the next step, which is the head, reads
    bool together;  // needs all threads to be through with the step before
    Conv conv;
    Stem stem;
    SignMap sign;
    Pool pool;
    UpAdd up_add;
    Head head;
    Mix mix;
    Around around;
};

}  // namespace hourbit

struct HbNet {
    const hourbit::Kernels *kernels;
    hourbit::Block *blocks;
    hourbit::Team *team;  // null with one thread
    int64_t memory;
    int32_t step_count, buffer_count, image_side, threads;
    hourbit::Step *steps;
    HbBuffer *buffers;
    void **data;
    int16_t *image;
    int32_t image_buffer;  // the buffer in which it lies, or -1
    int64_t logits;
    int64_t lent_bytes;  // of each thread
    char *lent;
};

namespace hourbit {

// Sets the calling thread's last error; always false.
bool fail(const char *format, ...);

// Zeroed and aligned, freed with the net; a register's width may be read past the end. Null on failure.
void *allocate(HbNet *net, int64_t bytes);

// A step's array, or null with the last error set where it does not have that many values.
const void *array(const HbStep &s, int which, int64_t values, int64_t size);

// A step's array copied to `elements` values, the rest filled with `fill`. Null on failure.
float *copy_floats(HbNet *net, const HbStep &s, int which, int64_t expected, int64_t elements);

// The memory of a float buffer, or of a map of bits, that is large enough. Null on failure.
float *floats(HbNet *net, int32_t index, int64_t needed);
uint32_t *bits(HbNet *net, int32_t index, int side, int channels);

// outputs.cpp: where a convolution's and the stem's values go.
bool prepare_signs(HbNet *net, const HbStep &s, int stride, Sign (&signs)[SIGNS], int &count);
bool prepare_sign(HbNet *net, const Sign &place, const float *scale, const float *shift, int channels, Sign &sign);
bool prepare_outputs(HbNet *net, const HbStep &s, Conv &c);

// Checks one step against the net's buffers and packs its weights; false with the last error set.
bool prepare(HbNet *net, const HbStep *steps, int index);

// prepare_more.cpp: the same of HB_MEAN, HB_AROUND and HB_MIX.
bool prepare_more(HbNet *net, const HbStep &from, Step &to);

// around.cpp: as a kernel, but the same for every instruction set.
void around(const Around &, int first, int last);

// bands.cpp: sets every step's `together`; and the rows of a step that are a thread's.
void plan_bands(HbNet *net, const HbStep *steps);
int band(const HbNet *net, const Step &step, int thread);

static inline int64_t area(int side, int channels) { return static_cast<int64_t>(side) * side * channels; }

}  // namespace hourbit
