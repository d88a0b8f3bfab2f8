/** Gives the browser a CSV file of rows of figures, the first row's names as its head. */
export function downloadCsv(fileName: string, rows: readonly Readonly<Record<string, string | number>>[]): void {
  const address = URL.createObjectURL(new Blob([toCsv(rows)], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(address);
}

function toCsv(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const lines = rows.map((row) => names.map((name) => String(row[name])).join(","));
  return `${[names.join(","), ...lines].join("\r\n")}\r\n`;
}
