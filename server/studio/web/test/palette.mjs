// Makes PNGs of 256 colours of those of millions, as browsers take pictures: a third of the bytes, and no difference that is seen.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

/** palette rewrites a PNG of 8 bits a channel, without alpha, so that it has 256 colours: those that it uses most, and that differ. */
export function palette(png) {
  const { width, height, pixels } = read(png);
  const counts = new Map();
  for (const c of pixels) counts.set(c, (counts.get(c) ?? 0) + 1);
  const colours = [];
  for (const [c] of [...counts].sort((a, b) => b[1] - a[1])) {
    if (colours.length < 256 && colours.every((o) => away(o, c) > 48)) colours.push(c);
  }
  const index = new Map(colours.map((c, i) => [c, i]));
  const rows = Buffer.alloc((width + 1) * height); // each begins with the filter 0, which is none
  pixels.forEach((c, i) => {
    if (!index.has(c)) index.set(c, nearest(colours, c));
    rows[i + Math.floor(i / width) + 1] = index.get(c);
  });
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3], 8); // bits, and that they are places in a palette
  const table = Buffer.from(colours.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]));
  return Buffer.concat([signature, chunk("IHDR", head), chunk("PLTE", table), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

/** nearest is the place of the colour that is most like another. */
function nearest(colours, c) {
  let best = 0;
  let least = Infinity;
  colours.forEach((o, i) => {
    if (away(o, c) < least) [best, least] = [i, away(o, c)];
  });
  return best;
}

/** away is how far two colours are from each other, squared. */
const away = (a, b) => ((a >> 16) - (b >> 16)) ** 2 + (((a >> 8) & 255) - ((b >> 8) & 255)) ** 2 + ((a & 255) - (b & 255)) ** 2;

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** read gives the pixels of a PNG as numbers 0xrrggbb. */
function read(png) {
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const deep = { 2: 3, 6: 4 }[png[25]]; // bytes of a pixel
  if (png[24] !== 8 || !deep) throw new Error("a PNG of another kind");
  const parts = [];
  for (let at = 8; at < png.length; ) {
    const size = png.readUInt32BE(at);
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + size));
    at += size + 12;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const line = width * deep;
  const out = Buffer.alloc(line * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (line + 1)];
    for (let x = 0; x < line; x++) {
      const at = y * line + x;
      const left = x < deep ? 0 : out[at - deep];
      const up = y === 0 ? 0 : out[at - line];
      const both = x < deep || y === 0 ? 0 : out[at - line - deep];
      out[at] = raw[y * (line + 1) + 1 + x] + [0, left, up, (left + up) >> 1, paeth(left, up, both)][filter];
    }
  }
  const pixels = new Uint32Array(width * height);
  for (let i = 0; i < pixels.length; i++) pixels[i] = (out[i * deep] << 16) | (out[i * deep + 1] << 8) | out[i * deep + 2];
  return { width, height, pixels };
}

/** paeth is the fourth guess of the PNG format: whichever neighbour is nearest to left + up - both. */
function paeth(left, up, both) {
  const [a, b, c] = [Math.abs(up - both), Math.abs(left - both), Math.abs(left + up - 2 * both)];
  return a <= b && a <= c ? left : b <= c ? up : both;
}
