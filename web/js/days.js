/** Figures by day and by probability, made ready for drawing. Pure. */

/** Part of a whole, or null where there is no whole. */
export const shareOf = (part, whole) => (whole > 0 ? part / whole : null);

/** Stopped and held messages of a day, and all of it. */
export const stoppedOf = ({ relay, hold, block }) => ({ part: hold + block, whole: relay + hold + block });

/** Appeals of a day that were right, and all of them. */
export const upheldOf = ({ upheld, appeals }) => ({ part: upheld, whole: appeals });

/** Heights of a histogram, 0 to 1, on a logarithmic scale: a few doubtful messages stand beside thousands of sure ones. */
export function heights(counts) {
  const most = Math.log1p(Math.max(0, ...counts));
  return counts.map((each) => (most ? Math.log1p(each) / most : 0));
}
