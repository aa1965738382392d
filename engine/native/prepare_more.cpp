// Checks of the steps that other blocks and stacks need.
#include "net.h"

namespace hourbit {
namespace {

bool shaped(const HbStep &s) {
    const bool fits = s.side >= 1 && s.side <= MAX_SIDE && s.channels >= 16 && s.channels <= MAX_CHANNELS &&
                      s.channels % 16 == 0 && s.in_channels >= 16 && s.in_channels <= MIX_CHANNELS &&
                      s.in_channels % 16 == 0;
    const bool mixes = s.op == HB_MIX && s.stride == s.channels && s.side % 4 == 0;
    return (fits && (mixes || (s.op != HB_MIX && s.in_channels == s.channels))) ||
           fail("operation %d has an impossible size", s.op);
}

bool prepare_mix(HbNet *net, const HbStep &s, Mix &m) {
    const int64_t out = area(s.side, s.channels), taken = s.arrays[0].bytes / 4 / s.channels;
    if (s.source == s.target) return fail("a mix cannot write over its source");
    if (taken < 1 || taken > s.in_channels) return fail("a mix of %lld channels", static_cast<long long>(taken));
    const float *weight = static_cast<const float *>(array(s, 0, taken * s.channels, sizeof(float)));
    float *turned = weight ? static_cast<float *>(allocate(net, taken * s.channels * 4)) : nullptr;
    if (!turned) return false;
    for (int64_t channel = 0; channel < s.channels; ++channel)
        for (int64_t c = 0; c < taken; ++c) turned[c * s.channels + channel] = weight[channel * taken + c];
    m = {s.side, s.in_channels, static_cast<int>(taken), s.channels, floats(net, s.source, area(s.side, s.in_channels)),
         turned, copy_floats(net, s, 1, s.channels, s.channels), nullptr, nullptr,
         s.other >= 0 ? floats(net, s.other, out) : nullptr, floats(net, s.target, out)};
    if (!m.source || !m.bias || !m.target || (s.other >= 0 && !m.other)) return false;
    if (!s.relu) return true;
    m.norm_scale = copy_floats(net, s, 2, s.in_channels, s.in_channels);
    m.norm_shift = copy_floats(net, s, 3, s.in_channels, s.in_channels);
    return m.norm_scale && m.norm_shift;
}

bool prepare_around(HbNet *net, const HbStep &s, Around &a) {
    const bool fits = s.side >= 1 && s.side <= MAX_SIDE && s.channels >= 8 && s.channels <= MAX_CHANNELS &&
                      s.channels % 8 == 0 && s.in_channels == s.channels;
    if (!fits) return fail("operation %d has an impossible size", s.op);
    if (s.source == s.bits) return fail("a maximum cannot write over its source");
    const uint8_t *falls = static_cast<const uint8_t *>(array(s, 0, s.channels, 1));
    uint32_t *falling = falls ? static_cast<uint32_t *>(allocate(net, words(s.channels) * 4)) : nullptr;
    if (!falling) return false;
    for (int c = 0; c < s.channels; ++c) falling[c / 32] |= static_cast<uint32_t>(falls[c] & 1) << c % 32;
    a = {s.side, words(s.channels), bits(net, s.source, s.side, s.channels), bits(net, s.bits, s.side, s.channels), falling};
    return a.source && a.bits;
}

}  // namespace

bool prepare_more(HbNet *net, const HbStep &s, Step &step) {
    if (s.op == HB_AROUND) return prepare_around(net, s, step.around);
    if (!shaped(s)) return false;
    if (s.op == HB_MIX) return prepare_mix(net, s, step.mix);
    const int64_t out = area(s.side, s.channels);
    const float *source = floats(net, s.source, 4 * out);
    step.pool = {s.side, s.channels, source, floats(net, s.target, out)};
    return source && step.pool.target && (s.source != s.target || fail("a pool cannot write over its source"));
}

}  // namespace hourbit
