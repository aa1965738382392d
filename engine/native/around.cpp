// Maxima of 3 x 3 seen through batch-norm and sign: since both keep or turn the order of values, the sign of the
// largest value is the largest sign, or the smallest one where batch-norm falls. So bits are all that is needed.
#include "net.h"

namespace hourbit {

void around(const Around &a, int first, int last) {
    const int64_t pitch = static_cast<int64_t>(a.side + 2) * a.words;
    for (int y = first; y < last; ++y)
        for (int x = 0; x < a.side; ++x) {
            const int top = y ? -1 : 0, low = y + 1 < a.side ? 1 : 0, left = x ? -1 : 0, right = x + 1 < a.side ? 1 : 0;
            const int64_t at = (y + 1) * pitch + static_cast<int64_t>(x + 1) * a.words;
            for (int w = 0; w < a.words; ++w) {
                uint32_t any = 0, all = ~0u;
                for (int v = top; v <= low; ++v)
                    for (int u = left; u <= right; ++u) {
                        const uint32_t bits = a.source[at + v * pitch + u * a.words + w];
                        any |= bits;
                        all &= bits;
                    }
                a.bits[at + w] = (any & ~a.falling[w]) | (all & a.falling[w]);
            }
        }
}

}  // namespace hourbit
