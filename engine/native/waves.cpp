// Order of work: neighbouring steps of one size run as a wave, a few rows each in turn, so that a row of the
// residual stream is still in the cache when the next step wants it.
//
// A step lags behind an earlier one that shares a buffer with it, by one tick where a 3 x 3 convolution is
// involved (it reads a row above and below) and by none else. Every step still does the same sums.
//
// A float map that lives within one wave needs only the rows between its first writer and its last reader:
// its rows then share a ring of few, and most of its buffer is never touched.
#include "net.h"

namespace hourbit {
namespace {

struct Touch {
    int32_t buffer;
    Ring Step::*ring;  // null for bits
    bool writes, bordering;
    int64_t pitch;  // values in a row of the wave; 0 where its rows are not the wave's
};

int touches(const HbStep &s, Touch (&found)[4]) {
    const int64_t row = static_cast<int64_t>(s.side) * s.channels, wide = static_cast<int64_t>(s.side) * s.stride;
    const bool conv = s.op == HB_CONV;
    int count = 0;
    const auto add = [&](int32_t buffer, Ring Step::*ring, bool writes, bool bordering, int64_t pitch) {
        if (buffer >= 0) found[count++] = {buffer, ring, writes, bordering, pitch};
    };
    const int64_t in = static_cast<int64_t>(s.side) * s.in_channels;
    if (s.op != HB_STEM) {
        const int64_t pitch = s.op == HB_UP_ADD ? 0 : s.op == HB_POOL ? 2 * in : in;
        add(s.source, conv ? nullptr : &Step::source, false, conv && s.kernel == 3, pitch);
    }
    if (conv || s.op == HB_UP_ADD) add(s.other, &Step::other, false, false, wide);
    if (s.op != HB_SIGN && s.op != HB_HEAD)
        add(s.target, &Step::target, true, false, s.op == HB_POOL ? 0 : conv ? wide : row);
    if (s.op == HB_SIGN || conv) add(s.bits, nullptr, true, false, row);
    return count;
}

// Least lag of `late` behind `early` in ticks; -1 where they cannot share a wave.
int lag(const HbStep &early, const HbStep &late) {
    Touch a[4], b[4];
    const int na = touches(early, a), nb = touches(late, b);
    int least = 0;
    for (int i = 0; i < na; ++i)
        for (int k = 0; k < nb; ++k) {
            if (a[i].buffer != b[k].buffer || !(a[i].writes || b[k].writes)) continue;
            if (a[i].pitch != b[k].pitch || !a[i].pitch) return -1;
            if (a[i].bordering || b[k].bordering) least = 1;
        }
    return least;
}

int wave_side(const HbStep &s) { return s.op == HB_POOL ? 2 * s.side : s.side; }

// Whether a step after the wave reads what the wave leaves in a buffer.
bool read_later(const HbStep *steps, int from, int to, int32_t buffer) {
    Touch found[4];
    for (int i = from; i < to; ++i) {
        const int count = touches(steps[i], found);
        for (int k = 0; k < count; ++k)
            if (found[k].buffer == buffer) return !found[k].writes;  // reads come first
    }
    return false;
}

// Rows that a buffer needs in the wave of steps `first` to `last` - 1; 0 = the whole map.
int ring_rows(const HbNet *net, const HbStep *steps, int first, int last, int32_t buffer) {
    Touch found[4];
    int least = -1, most = -1;
    for (int i = first; i < last; ++i) {
        const int count = touches(steps[i], found), delay = net->steps[i].delay;
        for (int k = 0; k < count; ++k) {
            if (found[k].buffer != buffer) continue;
            if (!found[k].pitch || (least < 0 && !found[k].writes)) return 0;
            if (least < 0 || delay < least) least = delay;
            if (delay > most) most = delay;
        }
    }
    const int rows = (most - least + 1) * TICK_ROWS;
    return rows >= net->steps[first].rows || read_later(steps, last, net->step_count, buffer) ? 0 : rows;
}

void plan_rings(HbNet *net, const HbStep *steps) {
    for (int first = 0, last; first < net->step_count; first = last) {
        for (last = first + 1; last < net->step_count && net->steps[last].wave == first;) ++last;
        for (int i = first; i < last; ++i) {
            Touch found[4];
            const int count = touches(steps[i], found);
            for (int k = 0; k < count; ++k)
                if (found[k].ring) {
                    Ring &ring = net->steps[i].*found[k].ring;
                    ring = {ring_rows(net, steps, first, last, found[k].buffer), found[k].pitch};
                }
        }
    }
}

}  // namespace

void plan_waves(HbNet *net, const HbStep *steps) {
    int first = 0;
    for (int i = 0; i < net->step_count; ++i) {
        Step &step = net->steps[i];
        step.rows = wave_side(steps[i]);
        step.delay = 0;
        bool joins = step.rows == net->steps[first].rows;
        for (int k = first; k < i && joins; ++k) {
            const int behind = lag(steps[k], steps[i]);
            joins = behind >= 0;
            if (step.delay < net->steps[k].delay + behind) step.delay = net->steps[k].delay + behind;
        }
        if (!joins) {
            first = i;
            step.delay = 0;
        }
        step.wave = first;
    }
    plan_rings(net, steps);
}

}  // namespace hourbit
