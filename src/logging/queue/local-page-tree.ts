import { fstatSync, readSync, writeSync } from "node:fs";

/** A file of SQLite that is open for reading and writing, page by page. Pages count from 1. */
type Pages = { file: number; pageSize: number; usable: number; count: number };

/** Types of pages: of tables, and what the pointer map says of a page with a parent. Free pages have another number. */
const [innerPage, leafPage, pageWithParent] = [5, 13, 5];

/**
 * Rebuilds the inner pages of tables that are damaged, so that SQLite finds the leaves below them. A file with
 * `auto_vacuum` has a pointer map, which names the parent of each page. Pages that are free have no parent there, so
 * deleted rows do not come back. Leaves stay as they are. Source: https://sqlite.org/fileformat.html
 */
export function rebuildInnerPages(file: number, pageSize: number, reservedBytes: number): void {
  const pages: Pages = {
    file,
    pageSize,
    usable: pageSize - reservedBytes,
    count: Math.floor(fstatSync(file).size / pageSize),
  };
  const childrenOf = readPointerMap(pages);
  const rebuilt = new Map<number, number | null>();

  /** The largest row id below a page of a table; null if nothing can be read there. */
  function largestId(number: number): number | null {
    const known = rebuilt.get(number);
    if (known !== undefined) return known;
    // A page that is its own ancestor ends here.
    rebuilt.set(number, null);
    const page = readPage(pages, number);
    const id = page[0] === leafPage ? lastIdOfLeaf(pages, page) : largestBelow(number, page);
    rebuilt.set(number, id);
    return id;
  }

  function largestBelow(number: number, page: Buffer): number | null {
    const intact = childrenOfInner(pages, page);
    const found = (intact ?? childrenOf.get(number) ?? []).flatMap((child) => {
      const id = largestId(child);
      return id === null ? [] : [{ child, id }];
    });
    found.sort((left, right) => left.id - right.id);
    if (intact === null && found.length > 0) writeInner(pages, number, found);
    return found.at(-1)?.id ?? null;
  }

  for (const parent of childrenOf.keys()) largestId(parent);
}

/** The children of each page that has some. */
function readPointerMap(pages: Pages): Map<number, number[]> {
  const entries = Math.floor(pages.usable / 5);
  const childrenOf = new Map<number, number[]>();
  for (let mapPage = 2; mapPage <= pages.count; mapPage += entries + 1) {
    const map = readPage(pages, mapPage);
    for (let index = 0; index < entries && mapPage + 1 + index <= pages.count; index += 1) {
      const parent = map.readUInt32BE(index * 5 + 1);
      // The first page has the schema, which is kept elsewhere.
      if (map[index * 5] !== pageWithParent || parent < 2 || parent > pages.count) continue;
      const children = childrenOf.get(parent) ?? [];
      children.push(mapPage + 1 + index);
      childrenOf.set(parent, children);
    }
  }
  return childrenOf;
}

/** The children of an inner page, in order; null if the page is not a sound inner page of a table. */
function childrenOfInner(pages: Pages, page: Buffer): number[] | null {
  if (page[0] !== innerPage) return null;
  const cells = cellsOf(pages, page, 12);
  if (cells === null) return null;
  const children = [...cells.map((cell) => page.readUInt32BE(cell)), page.readUInt32BE(8)];
  const areSound = children.every((child) => child >= 2 && child <= pages.count);
  return areSound && new Set(children).size === children.length ? children : null;
}

/** Where the cells of a page lie; null if the page does not say it in a sound way. */
function cellsOf({ usable }: Pages, page: Buffer, headerBytes: number): number[] | null {
  const count = page.readUInt16BE(3);
  const firstByte = headerBytes + count * 2;
  if (firstByte > usable) return null;
  const cells = Array.from({ length: count }, (_, index) => page.readUInt16BE(headerBytes + index * 2));
  return cells.every((cell) => cell >= firstByte && cell <= usable - 4) ? cells : null;
}

/** The last row id of a leaf: a cell begins with the size of the row and its id. */
function lastIdOfLeaf(pages: Pages, page: Buffer): number | null {
  const last = cellsOf(pages, page, 8)?.at(-1);
  if (last === undefined) return null;
  const id = readVarint(page, last + readVarint(page, last).bytes).value;
  return Number.isSafeInteger(id) ? id : null;
}

function readVarint(page: Buffer, start: number): { value: number; bytes: number } {
  let value = 0;
  for (let bytes = 1; bytes < 9; bytes += 1) {
    const byte = page[start + bytes - 1] ?? 0;
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, bytes };
  }
  return { value: Number.POSITIVE_INFINITY, bytes: 9 };
}

function toVarint(value: number): Buffer {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(128 + (rest % 128));
  return Buffer.from(bytes);
}

/** Writes an inner page with these children, the last of them on the right. */
function writeInner(pages: Pages, number: number, children: readonly { child: number; id: number }[]): void {
  const page = Buffer.alloc(pages.pageSize);
  const right = children.at(-1)?.child ?? 0;
  const cells = children.slice(0, -1);
  let end = pages.usable;
  for (const [index, { child, id }] of cells.entries()) {
    const key = toVarint(id);
    end -= 4 + key.length;
    if (end < 12 + cells.length * 2) return;
    page.writeUInt32BE(child, end);
    key.copy(page, end + 4);
    page.writeUInt16BE(end, 12 + index * 2);
  }
  page.writeUInt8(innerPage, 0);
  page.writeUInt16BE(cells.length, 3);
  page.writeUInt16BE(end, 5);
  page.writeUInt32BE(right, 8);
  writeSync(pages.file, page, 0, page.length, (number - 1) * pages.pageSize);
}

function readPage({ file, pageSize }: Pages, number: number): Buffer {
  const page = Buffer.alloc(pageSize);
  readSync(file, page, 0, pageSize, (number - 1) * pageSize);
  return page;
}
