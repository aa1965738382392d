/* The C interface of Hourbit's bit-packed engine.
 *
 * The caller (engine/runtime/packed.py) derives a flat list of steps and buffers from a checked graph;
 * nothing here parses a file. Every size is checked again. All functions are safe to call from several
 * threads, but one net serves one call at a time.
 *
 * Floats are NHWC float32. Bits are NHWC in 32-bit words (least significant bit = lowest channel, missing
 * channels = 0) with a ring of one zero pixel round the picture, which is the padding of -1.
 */
#ifndef HOURBIT_H
#define HOURBIT_H

#include <stdint.h>

#if defined(_WIN32)
#define HB_API __declspec(dllexport)
#else
#define HB_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define HB_ABI 5

enum HbOp {
    HB_STEM = 0,   /* image -> target: integer 7 x 7 convolution, stride 2, batch-norm, ReLU */
    HB_SIGN = 1,   /* source -> bits: batch-norm, sign */
    HB_CONV = 2,   /* source bits -> a slice of a residual map, and what is read of it; see below */
    HB_POOL = 3,   /* source -> target: 2 x 2 maximum */
    HB_UP_ADD = 4, /* other + nearest x 2 of source -> target */
    HB_HEAD = 5,   /* source -> logits: batch-norm, ReLU, real 1 x 1 convolution */
    HB_MEAN = 6,   /* source -> target: 2 x 2 average, ((a + b) + (c + d)) * 0.25 */
    HB_AROUND = 7, /* source bits -> bits: signs of a 3 x 3 maximum of what lies inside the map, from signs of the map */
    HB_MIX = 8     /* source -> target (+ other's): real 1 x 1 convolution, with relu = 1 after batch-norm and ReLU */
};

typedef struct HbArray {
    const void *data;
    int64_t bytes;
} HbArray;

/* Arrays by operation, C = channels, I = in_channels, S = skip_channels:
 * STEM: int16 (C, 7, 7, 3), scale (C), bias (C), batch-norm's scale (C) and shift (C)
 * SIGN: -, batch-norm's scale (C) and shift (C)
 * CONV: bits uint8 (C, kernel * kernel * I / 8), alpha (C), and with `bits`: int32 threshold (C), uint8 flip (C);
 *       the bit of a channel is (differing bits <= threshold) xor flip; with `skip`: bits (C, S / 8), alpha (C)
 * HEAD: float (C, I), bias (C), batch-norm's scale (I) and shift (I)
 * AROUND: uint8 (C), 1 where the batch-norm before the sign falls
 * MIX: as HEAD; the weights may take fewer than I channels, the others are not read
 * STEM and CONV with signs[i]: batch-norm's scale (C) and shift (C) at 6 + 2 * i and 7 + 2 * i
 *
 * CONV's value is alpha * dot, its ReLU, + the skip's alpha * dot and ReLU, + other, + nearest x 2 of up, in this
 * order; it goes to target, its 2 x 2 maximum to pooled, and after batch-norm the sign of either to signs. All these
 * maps have `stride` channels, of which the slice begins at `offset`. `bits` is the sign of the first product alone.
 */
#define HB_ARRAYS 10
#define HB_SIGNS 2

typedef struct HbStep {
    int32_t op;
    int32_t side;        /* of the output map; of the convolution in CONV */
    int32_t kernel;      /* 1 or 3 in CONV */
    int32_t in_channels;
    int32_t channels;    /* written by this step */
    int32_t stride;      /* CONV: channels of the maps that its slice is of */
    int32_t offset;      /* CONV: first channel of the slice */
    int32_t source;      /* buffers, -1 = none */
    int32_t target;
    int32_t other;
    int32_t bits;
    int32_t relu;        /* CONV: 1 = ReLU after the scale */
    int32_t pad;         /* CONV: -1 or 0, what lies outside the picture */
    int32_t skip;        /* CONV: source bits of a 1 x 1 convolution */
    int32_t skip_channels;
    int32_t up;          /* half the side */
    int32_t pooled;      /* half the side */
    int32_t signs[HB_SIGNS];
    int32_t signs_pooled; /* bit i: signs[i] is of the maximum */
    HbArray arrays[HB_ARRAYS];
} HbStep;

typedef struct HbBuffer {
    int32_t bits;     /* 1: bits of side x side x channels; 0: floats */
    int32_t side;
    int32_t channels;
    int32_t line;     /* 1: holds one row of a map, which a CONV writes and the HEAD right after it reads, in turns */
    int64_t floats;   /* size where bits = 0 */
} HbBuffer;

typedef struct HbNet HbNet;

HB_API int32_t hb_abi(void);

/* Instruction sets of this machine, best first, joined by commas. */
HB_API const char *hb_isas(void);

/* Runs a convolution's instructions `rounds` times on registers alone, the bound that none can beat: how many
 * products of bits that were, 0 without this instruction set. Timed by the caller. */
HB_API int64_t hb_peak(const char *isa, int64_t rounds);

/* NULL on failure; hb_last_error says why. Copies what it needs. `threads` of 1 to 16 share the rows of each step. */
HB_API HbNet *hb_create(const HbStep *steps, int32_t step_count, const HbBuffer *buffers, int32_t buffer_count,
                        int32_t image_side, const char *isa, int32_t threads);

/* image (side, side, 3) uint8, logits (K, side / 4, side / 4) float32; sizes in elements. 0 = done. */
HB_API int32_t hb_run(HbNet *net, const uint8_t *image, int64_t image_size, float *logits, int64_t logits_size);

/* As hb_run on one thread, and adds to nanoseconds[i] the time that step i took: CPU time where the system
 * tells a thread's. */
HB_API int32_t hb_profile(HbNet *net, const uint8_t *image, int64_t image_size, float *logits, int64_t logits_size,
                          int64_t *nanoseconds, int32_t step_count);

/* For tests: run steps first to last - 1 only (a part that starts at 0 takes a new image), the head excepted,
 * and read a float buffer as it stands then. 0 = done. */
HB_API int32_t hb_run_part(HbNet *net, const uint8_t *image, int64_t image_size, int32_t first, int32_t last);
HB_API int32_t hb_read(const HbNet *net, int32_t buffer, float *values, int64_t count);

/* As hb_read, the words of a bit buffer without its ring: count = side x side x words of a pixel. */
HB_API int32_t hb_read_bits(const HbNet *net, int32_t buffer, uint32_t *values, int64_t count);

/* Bytes of memory that a net holds. */
HB_API int64_t hb_memory(const HbNet *net);

HB_API void hb_destroy(HbNet *net);

/* The calling thread's last failure, empty where there was none. */
HB_API const char *hb_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
