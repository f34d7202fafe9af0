// Slower or faster at the same pitch: waveform-similarity overlap-add (WSOLA) over an AudioBuffer, in pieces.
//
// Every output frame is taken from near its exact place in the song, so what is heard is never more than 15 ms
// of listening time from where it should be, and right on average.

const HOP = 768, TOLERANCE = 256, STRIDE = 4, COARSE = 8; // samples

export class Stretch {
  /** Reads `buffer` from `offset` s at `rate`; `next(hops)` gives the coming piece of output. */
  constructor(buffer, offset, rate) {
    this.buffer = buffer;
    this.rate = rate;
    this.tolerance = Math.round(TOLERANCE * Math.min(1, rate));
    this.channels = Array.from({ length: buffer.numberOfChannels }, (_, i) => buffer.getChannelData(i));
    this.start = offset * buffer.sampleRate;
    this.frame = 0;
    this.previous = null; // where the last frame was taken from
    this.window = Float32Array.from({ length: HOP }, (_, i) => 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / HOP));
  }

  get done() {
    return this.start + this.frame * HOP * this.rate >= this.buffer.length;
  }

  next(context, hops) {
    const out = context.createBuffer(this.channels.length, hops * HOP, this.buffer.sampleRate);
    const targets = this.channels.map((_, i) => out.getChannelData(i));
    for (let hop = 0; hop < hops; hop++, this.frame++) {
      // A frame goes on sounding in the next one: aimed so that the middle of its two halves is in place.
      const late = this.frame ? 1 - this.rate : 0;
      const exact = Math.round(this.start + (this.frame * this.rate - late) * HOP);
      const from = this.previous === null ? exact : this.#similar(exact, this.previous + HOP);
      this.channels.forEach((source, c) => {
        const target = targets[c], at = hop * HOP, fading = this.previous === null ? from : this.previous + HOP;
        for (let i = 0; i < HOP; i++) {
          const rise = this.window[i];
          target[at + i] = (source[from + i] ?? 0) * rise + (source[fading + i] ?? 0) * (1 - rise);
        }
      });
      this.previous = from;
    }
    return out;
  }

  /** The place near `exact` where the song looks most like the continuation at `natural`. */
  #similar(exact, natural) {
    const data = this.channels[0];
    let best = exact, highest = -Infinity;
    const score = (from) => {
      let product = 0, energy = 1e-9;
      for (let i = 0; i < HOP; i += STRIDE) {
        const value = data[from + i] ?? 0;
        product += value * (data[natural + i] ?? 0);
        energy += value * value;
      }
      return product / Math.sqrt(energy);
    };
    const search = (low, high, step) => {
      for (let from = low; from <= high; from += step) {
        const value = score(from);
        if (value > highest) { highest = value; best = from; }
      }
    };
    if (Math.abs(natural - exact) <= this.tolerance) return natural; // the song itself goes on there
    search(exact, exact, 1); // first, so that silence changes nothing
    search(Math.max(0, exact - this.tolerance), exact + this.tolerance, COARSE);
    search(Math.max(0, best - COARSE), best + COARSE, 1);
    return best;
  }
}

export const HOP_SAMPLES = HOP;
