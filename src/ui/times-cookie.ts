/** The cookie that keeps whether a browser wants times in UTC: `utc`, or absent for its own. */
export const timesCookie = "sluice.times";
