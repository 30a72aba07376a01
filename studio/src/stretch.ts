/**
 * Change the speed of speech without its pitch, by overlap-add at the offset where the waveforms agree
 * best (Verhelst and Roelands, "An overlap-add technique based on waveform similarity", ICASSP 1993).
 */
export function stretch(
  channels: Float32Array<ArrayBuffer>[],
  rate: number,
  sampleRate: number,
): Float32Array<ArrayBuffer>[] {
  const first = channels[0]!;
  const length = Math.max(1, Math.round(first.length / rate));
  const hop = Math.round(sampleRate * 0.015);
  const window = hop * 2;
  const search = Math.round(sampleRate * 0.008);
  // Judging agreement on every 6th sample is enough for speech and keeps a minute of sound near 0.1 s.
  const stride = 6;
  const result = channels.map(() => new Float32Array(length + window));
  const hann = Float32Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window));
  let previous = 0;
  for (let out = 0; out < length; out += hop) {
    const ideal = Math.round(out * rate);
    let source = ideal;
    if (out > 0) {
      const natural = previous + hop;
      let best = -Infinity;
      for (let shift = -search; shift <= search; shift += 2) {
        const from = ideal + shift;
        if (from < 0) continue;
        let score = 0;
        for (let i = 0; i < hop; i += stride) score += (first[natural + i] ?? 0) * (first[from + i] ?? 0);
        if (score > best) {
          best = score;
          source = from;
        }
      }
    }
    channels.forEach((samples, c) => {
      const target = result[c]!;
      for (let i = 0; i < window; i += 1) target[out + i]! += (samples[source + i] ?? 0) * hann[i]!;
    });
    previous = source;
  }
  return result.map((samples) => samples.slice(0, length));
}
