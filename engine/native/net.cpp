// The life of a net: memory, construction, running its steps in order.
#include "net.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

using namespace hourbit;

namespace {

thread_local char last_error[256] = "";

}  // namespace

bool hourbit::fail(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(last_error, sizeof last_error, format, list);
    va_end(list);
    return false;
}

void *hourbit::allocate(HbNet *net, int64_t bytes) {
    const size_t size = static_cast<size_t>(bytes) + sizeof(Block) + 2 * ALIGN;
    Block *block = static_cast<Block *>(calloc(1, size));
    if (!block) {
        fail("out of memory: %lld bytes", static_cast<long long>(bytes));
        return nullptr;
    }
    block->next = net->blocks;
    net->blocks = block;
    net->memory += static_cast<int64_t>(size);
    const uintptr_t end = reinterpret_cast<uintptr_t>(block + 1);
    return reinterpret_cast<void *>((end + ALIGN - 1) / ALIGN * ALIGN);
}

namespace {

template <class T>
T *table(HbNet *net, int64_t count) {
    return static_cast<T *>(allocate(net, count * static_cast<int64_t>(sizeof(T))));
}

bool build(HbNet *net, const HbStep *steps, const HbBuffer *buffers) {
    net->steps = table<Step>(net, net->step_count);
    net->buffers = table<HbBuffer>(net, net->buffer_count);
    net->data = table<void *>(net, net->buffer_count);
    const int64_t pitch = (net->image_side + 2 * STEM_RING) * 3;
    net->image = table<int16_t>(net, pitch * (net->image_side + 2 * STEM_RING));
    if (!net->steps || !net->buffers || !net->data || !net->image) return false;
    for (int i = 0; i < net->buffer_count; ++i) {
        const HbBuffer &b = net->buffers[i] = buffers[i];
        const bool map = b.side >= 1 && b.side <= MAX_SIDE && b.channels >= 8 && b.channels <= MAX_CHANNELS;
        const int64_t most = area(MAX_SIDE, MAX_CHANNELS);
        if (b.bits ? !map : b.floats < 1 || b.floats > most) return fail("buffer %d has an impossible size", i);
        const int64_t size = b.bits ? area(b.side + 2, words(b.channels)) : b.floats;
        if (!(net->data[i] = allocate(net, 4 * size))) return false;
    }
    for (int i = 0; i < net->step_count; ++i)
        if (!prepare(net, steps[i], net->steps[i])) return false;
    plan_waves(net, steps);
    return net->logits > 0 || fail("a net needs a head");
}

// uint8 pixels into the middle of the int16 picture; its ring stays 0.
void widen(HbNet *net, const uint8_t *pixels) {
    const int64_t row = static_cast<int64_t>(net->image_side) * 3, pitch = row + 2 * STEM_RING * 3;
    for (int y = 0; y < net->image_side; ++y) {
        int16_t *to = net->image + (y + STEM_RING) * pitch + STEM_RING * 3;
        for (int64_t i = 0; i < row; ++i) to[i] = pixels[y * row + i];
    }
}

// Moves a map's pointer so that row `row` is found at its place in the ring; whole ticks are in one piece.
template <class T>
void turn(T *&map, const Ring &ring, int row) {
    if (map && ring.rows) map += (row % ring.rows - row) * ring.pitch;
}

// Rows `first` to `last` - 1 of the step's wave.
void run_rows(const Kernels *k, Step step, int first, int last, float *logits) {
    switch (step.op) {
        case HB_STEM:
            turn(step.stem.target, step.target, first);
            return k->stem(step.stem, first, last);
        case HB_SIGN:
            turn(step.sign.source, step.source, first);
            return k->sign(step.sign, first, last);
        case HB_CONV:
            turn(step.conv.target, step.target, first);
            turn(step.conv.other, step.other, first);
            return k->conv(step.conv, first, last);
        case HB_POOL:
            turn(step.pool.source, step.source, first);
            return k->pool(step.pool, first / 2, last / 2);
        case HB_UP_ADD:
            turn(step.up_add.other, step.other, first);
            turn(step.up_add.target, step.target, first);
            return k->up_add(step.up_add, first, last);
        default:
            turn(step.head.source, step.source, first);
            step.head.logits = logits;
            k->head(step.head, first, last);
    }
}

// Steps `first` to `last` - 1, which are one wave.
void run_wave(const HbNet *net, int first, int last, float *logits) {
    const int rows = net->steps[first].rows;
    bool more = true;
    for (int tick = 0; more; ++tick) {
        more = false;
        for (int i = first; i < last; ++i) {
            const int row = (tick - net->steps[i].delay) * TICK_ROWS, end = row + TICK_ROWS;
            if (row < rows) more = true;
            if (row >= 0 && row < rows) run_rows(net->kernels, net->steps[i], row, end < rows ? end : rows, logits);
        }
    }
}

}  // namespace

extern "C" HbNet *hb_create(const HbStep *steps, int32_t step_count, const HbBuffer *buffers, int32_t buffer_count,
                            int32_t image_side, const char *isa) {
    last_error[0] = 0;
    const Kernels *kernels = isa ? find_kernels(isa) : nullptr;
    if (!kernels) return fail("this machine has no instruction set %s", isa ? isa : "?"), nullptr;
    const bool counted = step_count > 0 && step_count <= 4096 && buffer_count > 0 && buffer_count <= 4096;
    if (!steps || !buffers || !counted || image_side < 64 || image_side > 2 * MAX_SIDE || image_side % 64)
        return fail("the net's description has an impossible size"), nullptr;
    HbNet *net = static_cast<HbNet *>(calloc(1, sizeof(HbNet)));
    if (!net) return fail("out of memory"), nullptr;
    net->kernels = kernels;
    net->step_count = step_count;
    net->buffer_count = buffer_count;
    net->image_side = image_side;
    if (build(net, steps, buffers)) return net;
    hb_destroy(net);
    return nullptr;
}

extern "C" int32_t hb_run(HbNet *net, const uint8_t *image, int64_t image_size, float *logits, int64_t logits_size) {
    last_error[0] = 0;
    if (!net || !image || !logits || image_size != area(net->image_side, 3) || logits_size != net->logits)
        return fail("the image or the logits have the wrong size"), 1;
    widen(net, image);
    for (int first = 0, last; first < net->step_count; first = last) {
        for (last = first + 1; last < net->step_count && net->steps[last].wave == first;) ++last;
        run_wave(net, first, last, logits);
    }
    return 0;
}

extern "C" int32_t hb_run_part(HbNet *net, const uint8_t *image, int64_t image_size, int32_t first, int32_t last) {
    last_error[0] = 0;
    if (!net || !image || image_size != area(net->image_side, 3) || first < 0 || first > last || last > net->step_count)
        return fail("the image or the steps are not the net's"), 1;
    if (first == 0) widen(net, image);
    for (int i = first; i < last; ++i) {
        if (net->steps[i].op == HB_HEAD) return fail("the head needs a full run"), 1;
        run_rows(net->kernels, net->steps[i], 0, net->steps[i].rows, nullptr);
    }
    return 0;
}

extern "C" int32_t hb_read(const HbNet *net, int32_t buffer, float *values, int64_t count) {
    last_error[0] = 0;
    const bool known = net && values && buffer >= 0 && buffer < net->buffer_count && !net->buffers[buffer].bits;
    if (!known || count < 0 || count > net->buffers[buffer].floats) return fail("there is no such float buffer"), 1;
    memcpy(values, net->data[buffer], static_cast<size_t>(count) * sizeof(float));
    return 0;
}

extern "C" int32_t hb_read_bits(const HbNet *net, int32_t buffer, uint32_t *values, int64_t count) {
    last_error[0] = 0;
    const bool known = net && values && buffer >= 0 && buffer < net->buffer_count && net->buffers[buffer].bits;
    if (!known) return fail("there is no such bit buffer"), 1;
    const int side = net->buffers[buffer].side;
    const int64_t row = static_cast<int64_t>(side) * words(net->buffers[buffer].channels);
    if (count != side * row) return fail("the bits have another size"), 1;
    const int64_t pitch = row / side * (side + 2);
    const uint32_t *from = static_cast<const uint32_t *>(net->data[buffer]) + pitch + row / side;
    for (int y = 0; y < side; ++y) memcpy(values + y * row, from + y * pitch, static_cast<size_t>(row) * 4);
    return 0;
}

extern "C" int64_t hb_memory(const HbNet *net) { return net ? net->memory : 0; }

extern "C" void hb_destroy(HbNet *net) {
    if (!net) return;
    for (Block *block = net->blocks; block;) {
        Block *next = block->next;
        free(block);
        block = next;
    }
    free(net);
}

extern "C" const char *hb_last_error(void) { return last_error; }
