// Order of work: neighbouring steps of one size run as a wave, a few rows each in turn, so that a row of the
// residual stream is still in the cache when the next step wants it.
//
// A step lags behind an earlier one that shares a buffer with it, by one tick where a 3 x 3 convolution is
// involved (it reads a row above and below) and by none else. Every step still does the same sums.
#include "net.h"

namespace hourbit {
namespace {

struct Touch {
    int32_t buffer;
    bool writes, bordering;
    int64_t pitch;  // values in a row of the wave; 0 where its rows are not the wave's
};

int touches(const HbStep &s, Touch (&found)[4]) {
    const int64_t row = static_cast<int64_t>(s.side) * s.channels, wide = static_cast<int64_t>(s.side) * s.stride;
    const bool conv = s.op == HB_CONV;
    int count = 0;
    const auto add = [&](int32_t buffer, bool writes, bool bordering, int64_t pitch) {
        if (buffer >= 0) found[count++] = {buffer, writes, bordering, pitch};
    };
    const int64_t in = static_cast<int64_t>(s.side) * s.in_channels;
    add(s.op == HB_STEM ? -1 : s.source, false, conv && s.kernel == 3, s.op == HB_UP_ADD ? 0 : s.op == HB_POOL ? 2 * in : in);
    if (conv || s.op == HB_UP_ADD) add(s.other, false, false, wide);
    if (s.op != HB_SIGN && s.op != HB_HEAD) add(s.target, true, false, s.op == HB_POOL ? 0 : conv ? wide : row);
    if (s.op == HB_SIGN || conv) add(s.bits, true, false, row);
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
}

}  // namespace hourbit
