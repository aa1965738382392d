// The life of a net: memory, construction, running its steps in order.
#include "net.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

using namespace hourbit;

namespace {

constexpr int64_t LARGE = 2 << 20;  // pages of this size save a twentieth of the time
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
    const bool large = bytes >= LARGE;
    const size_t align = large ? static_cast<size_t>(LARGE) : ALIGN, used = static_cast<size_t>(bytes) + sizeof(Block);
    Block *block = static_cast<Block *>(calloc(1, used + align + ALIGN));
    if (!block) {
        fail("out of memory: %lld bytes", static_cast<long long>(bytes));
        return nullptr;
    }
    block->next = net->blocks;
    net->blocks = block;
    net->memory += static_cast<int64_t>(used);
    const uintptr_t end = reinterpret_cast<uintptr_t>(block + 1);
    void *memory = reinterpret_cast<void *>((end + align - 1) / align * align);
#if defined(__linux__)
    if (large) madvise(memory, static_cast<size_t>(bytes / LARGE * LARGE), MADV_HUGEPAGE);  // a wish; only for speed
#endif
    return memory;
}

namespace {

template <class T>
T *table(HbNet *net, int64_t count) {
    return static_cast<T *>(allocate(net, count * static_cast<int64_t>(sizeof(T))));
}

// The stem's picture lies where the first step writes nothing, in memory that later steps need for maps of floats.
int16_t *place_image(HbNet *net, const HbStep *steps, int64_t values) {
    int stems = 0;
    net->image_buffer = -1;
    for (int i = 0; i < net->step_count; ++i) stems += steps[i].op == HB_STEM;
    if (stems == 1 && steps[0].op == HB_STEM)
        for (int i = 0; i < net->buffer_count; ++i) {
            const HbBuffer &b = net->buffers[i];
            if (!b.bits && !b.line && i != steps[0].target && 2 * b.floats >= values)
                return static_cast<int16_t *>(net->data[net->image_buffer = i]);
        }
    return table<int16_t>(net, values);
}

bool build(HbNet *net, const HbStep *steps, const HbBuffer *buffers) {
    net->steps = table<Step>(net, net->step_count);
    net->buffers = table<HbBuffer>(net, net->buffer_count);
    net->data = table<void *>(net, net->buffer_count);
    if (!net->steps || !net->buffers || !net->data) return false;
    for (int i = 0; i < net->buffer_count; ++i) {
        const HbBuffer &b = net->buffers[i] = buffers[i];
        const bool map = b.side >= 1 && b.side <= MAX_SIDE && b.channels >= 8 && b.channels <= MAX_CHANNELS;
        const int64_t most = area(MAX_SIDE, MAX_CHANNELS);
        if (b.bits ? !map : b.floats < 1 || b.floats > most) return fail("buffer %d has an impossible size", i);
        const int64_t size = b.bits ? area(b.side + 2, words(b.channels)) : b.floats * (b.line ? net->threads : 1);
        if (!(net->data[i] = allocate(net, 4 * size))) return false;
    }
    const int64_t width = net->image_side + 2 * STEM_RING;
    if (!(net->image = place_image(net, steps, width * width * 3 + ALIGN))) return false;
    for (int i = 0; i < net->step_count; ++i)
        if (!prepare(net, steps, i)) return false;
    if (!(net->lent = table<char>(net, net->threads * net->lent_bytes))) return false;
    plan_bands(net, steps);
    if (!net->logits) return fail("a net needs a head");
    if (net->threads == 1) return true;
    return (net->team = team_create(net->threads)) || fail("cannot start %d threads", net->threads);
}

// uint8 pixels into the middle of the int16 picture, in a ring of 0.
void widen(HbNet *net, const uint8_t *pixels) {
    const int64_t row = static_cast<int64_t>(net->image_side) * 3, pitch = row + 2 * STEM_RING * 3;
    const int64_t rows = net->image_side + 2 * STEM_RING;
    memset(net->image, 0, static_cast<size_t>(rows * pitch) * sizeof(int16_t));
    for (int y = 0; y < net->image_side; ++y) {
        int16_t *to = net->image + (y + STEM_RING) * pitch + STEM_RING * 3;
        for (int64_t i = 0; i < row; ++i) to[i] = pixels[y * row + i];
    }
}

// Rows `first` to `last` - 1 of a step that is not the head.
void run_rows(const HbNet *net, const Step &step, int first, int last, int thread) {
    switch (step.op) {
        case HB_STEM: return net->kernels->stem(step.stem, first, last);
        case HB_SIGN: return net->kernels->sign(step.sign, first, last);
        case HB_CONV: return net->kernels->conv(step.conv, first, last, net->lent + thread * net->lent_bytes);
        case HB_POOL: return net->kernels->pool(step.pool, first, last);
        case HB_MEAN: return net->kernels->mean(step.pool, first, last);
        case HB_AROUND: return around(step.around, first, last);
        case HB_MIX: return net->kernels->mix(step.mix, first, last);
        default: net->kernels->up_add(step.up_add, first, last);
    }
}

int64_t now() {
    timespec t;
#if defined(CLOCK_THREAD_CPUTIME_ID)
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);  // holds on a loaded machine, too
#else
    timespec_get(&t, TIME_UTC);
#endif
    return static_cast<int64_t>(t.tv_sec) * 1000000000 + t.tv_nsec;
}

// One run of a net: what its threads share.
struct Run {
    HbNet *net;
    float *logits;
    int64_t *times;  // null, or one for each step
};

void run_head(const Run &run, Head head, int first, int last, int thread) {
    head.scratch += static_cast<int64_t>(thread) * HEAD_PIXELS * head.in_channels;
    head.logits = run.logits;
    run.net->kernels->head(head, first, last);
}

// A convolution and the head, a row at a time in the thread's line.
void run_chain(const Run &run, int index, int first, int last, int thread) {
    const Step *steps = run.net->steps + index;
    Conv conv = steps[0].conv;
    Head head = steps[1].head;
    const int64_t row = static_cast<int64_t>(conv.side) * conv.stride;
    float *line = conv.target + thread * row;
    for (int y = first; y < last; ++y) {
        if (run.times) run.times[index] -= now();
        head.source = conv.target = line - y * row;
        conv.again = y > first;
        run.net->kernels->conv(conv, y, y + 1, run.net->lent + thread * run.net->lent_bytes);
        if (run.times) run.times[index + 1] -= now(), run.times[index] += now();
        run_head(run, head, y, y + 1, thread);
        if (run.times) run.times[index + 1] += now();
    }
}

void run_some(const Run &run, int index, int first, int last, int thread) {
    const Step &step = run.net->steps[index];
    if (first >= last) return;
    if (step.chained) return run_chain(run, index, first, last, thread);
    if (run.times) run.times[index] -= now();
    if (step.op == HB_HEAD)
        run_head(run, step.head, first, last, thread);
    else
        run_rows(run.net, step, first, last, thread);
    if (run.times) run.times[index] += now();
}

// A thread's band of every step; bands.cpp says when it must wait.
void run_band(void *context, int thread) {
    const Run &run = *static_cast<const Run *>(context);
    const HbNet *net = run.net;
    for (int i = 0; i < net->step_count; ++i) {
        const Step &step = net->steps[i];
        for (int t = 0; t < net->threads && i; ++t) {
            const bool beside = t == thread - 1 || t == thread + 1;
            if (t != thread && (step.together || beside)) team_wait(net->team, t, 2 * i - (step.together ? 0 : 1));
        }
        const int first = band(net, step, thread), last = band(net, step, thread + 1);
        const int above = thread ? 2 : 0, below = thread < net->threads - 1 ? 2 : 0;
        if (last - first > above + below) {
            run_some(run, i, first, first + above, thread);
            run_some(run, i, last - below, last, thread);
            team_reach(net->team, thread, 2 * i + 1);
            run_some(run, i, first + above, last - below, thread);
        } else {
            run_some(run, i, first, last, thread);
        }
        if (step.chained) ++i;
        team_reach(net->team, thread, 2 * i + 2);
    }
}

int32_t run_net(HbNet *net, const uint8_t *image, int64_t image_size, float *logits, int64_t logits_size,
                int64_t *times) {
    last_error[0] = 0;
    if (!net || !image || !logits || image_size != area(net->image_side, 3) || logits_size != net->logits)
        return fail("the image or the logits have the wrong size"), 1;
    widen(net, image);
    Run run = {net, logits, times};
    if (net->team && !times) {
        team_run(net->team, run_band, &run);
        return 0;
    }
    for (int i = 0; i < net->step_count; i += net->steps[i].chained ? 2 : 1)
        run_some(run, i, 0, net->steps[i].rows, 0);
    return 0;
}

}  // namespace

extern "C" HbNet *hb_create(const HbStep *steps, int32_t step_count, const HbBuffer *buffers, int32_t buffer_count,
                            int32_t image_side, const char *isa, int32_t threads) {
    last_error[0] = 0;
    const Kernels *kernels = isa ? find_kernels(isa) : nullptr;
    if (!kernels) return fail("this machine has no instruction set %s", isa ? isa : "?"), nullptr;
    const bool counted = step_count > 0 && step_count <= 4096 && buffer_count > 0 && buffer_count <= 4096;
    if (!steps || !buffers || !counted || image_side < 64 || image_side > 2 * MAX_SIDE || image_side % 64)
        return fail("the net's description has an impossible size"), nullptr;
    if (threads < 1 || threads > MAX_THREADS) return fail("%d threads", threads), nullptr;
    HbNet *net = static_cast<HbNet *>(calloc(1, sizeof(HbNet)));
    if (!net) return fail("out of memory"), nullptr;
    net->kernels = kernels;
    net->step_count = step_count;
    net->buffer_count = buffer_count;
    net->image_side = image_side;
    net->threads = threads;
    if (build(net, steps, buffers)) return net;
    hb_destroy(net);
    return nullptr;
}

extern "C" int64_t hb_peak(const char *isa, int64_t rounds) {
    const Kernels *kernels = isa ? find_kernels(isa) : nullptr;
    return kernels && rounds > 0 ? kernels->peak(rounds) : 0;
}

extern "C" int32_t hb_run(HbNet *net, const uint8_t *image, int64_t image_size, float *logits, int64_t logits_size) {
    return run_net(net, image, image_size, logits, logits_size, nullptr);
}

extern "C" int32_t hb_profile(HbNet *net, const uint8_t *image, int64_t image_size, float *logits,
                              int64_t logits_size, int64_t *nanoseconds, int32_t step_count) {
    if (!net || !nanoseconds || step_count != net->step_count) return fail("there is a time for every step"), 1;
    return run_net(net, image, image_size, logits, logits_size, nanoseconds);
}

extern "C" int32_t hb_run_part(HbNet *net, const uint8_t *image, int64_t image_size, int32_t first, int32_t last) {
    last_error[0] = 0;
    if (!net || !image || image_size != area(net->image_side, 3) || first < 0 || first > last || last > net->step_count)
        return fail("the image or the steps are not the net's"), 1;
    if (first == 0) widen(net, image);
    for (int i = first; i < last; ++i) {
        const bool head = net->steps[i].op == HB_HEAD || net->steps[i].chained;
        if (head) return fail("the head needs a full run"), 1;
        run_rows(net, net->steps[i], 0, net->steps[i].rows, 0);
    }
    return 0;
}

extern "C" int32_t hb_read(const HbNet *net, int32_t buffer, float *values, int64_t count) {
    last_error[0] = 0;
    const bool known = net && values && buffer >= 0 && buffer < net->buffer_count && !net->buffers[buffer].bits &&
                       !net->buffers[buffer].line;
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
    team_destroy(net->team);
    for (Block *block = net->blocks; block;) {
        Block *next = block->next;
        free(block);
        block = next;
    }
    free(net);
}

extern "C" const char *hb_last_error(void) { return last_error; }
