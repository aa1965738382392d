// How threads share a net: each takes a band of rows of every step, the same band at every size of map.
//
// A thread's first rows of a step are those at its neighbours' bands, which are all that a neighbour's next step
// reads or may not yet overwrite. So it need wait only where a neighbour is a whole step behind, save where bands
// do not fit one another (maps with too few rows, another size of map, memory that held a map of another shape).
#include "net.h"

namespace hourbit {
namespace {

// A step's float buffers and the shape in which it uses them: channels, negative at half the side, at twice the side
// beyond any number of channels, and 0 for the image.
struct Use {
    int32_t buffer;
    int64_t shape;
    bool written;
};

int uses(const HbNet *net, const HbStep &s, Use (&found)[5]) {
    const bool conv = s.op == HB_CONV, stem = s.op == HB_STEM, halves = s.op == HB_POOL || s.op == HB_MEAN;
    const int64_t stride = s.stride;  // of a step that has no use for it, any number
    const int map = s.op == HB_UP_ADD ? -s.channels : halves ? MAX_CHANNELS + s.in_channels : s.in_channels;
    const Use all[] = {{stem ? net->image_buffer : conv ? -1 : s.source, stem ? 0 : map, false},
                       {s.other, stride, false},
                       {conv ? s.up : -1, -stride, false},
                       {s.target, conv ? stride : s.channels, true},
                       {conv ? s.pooled : -1, -stride, true}};
    int count = 0;
    for (const Use &use : all)
        if (use.buffer >= 0) found[count++] = use;
    return count;
}

bool reshapes(const HbNet *net, const HbStep &before, const HbStep &after) {
    Use a[5], b[5];
    const int na = uses(net, before, a), nb = uses(net, after, b);
    for (int i = 0; i < na; ++i)
        for (int k = 0; k < nb; ++k)
            if (a[i].buffer == b[k].buffer && b[k].written && a[i].shape != b[k].shape) return true;
    return false;
}

}  // namespace

void plan_bands(HbNet *net, const HbStep *steps) {
    int last = 0;  // step that all began together: threads far apart may be at any step from it on
    for (int i = 1; i < net->step_count; ++i) {
        const int rows = net->steps[i].rows, uneven = rows % (2 * net->threads);
        bool together = uneven || rows != net->steps[i - 1].rows;
        for (int k = last; k < i && !together; ++k) together = reshapes(net, steps[k], steps[i]);
        net->steps[i].together = together;
        if (together) last = i;
    }
}

// First row of a thread's band; even, since rows may have to be done in pairs. That of thread `threads` is the end.
int band(const HbNet *net, const Step &step, int thread) {
    return thread == net->threads ? step.rows : step.rows / 2 * thread / net->threads * 2;
}

}  // namespace hourbit
