"use strict";
// Where the entries of an array go in a heat map.
const Layout = (() => {
  const SMALLEST = 4;
  const LARGEST = 30;
  const TALLEST = 420;
  const GAP = 8;

  // Where each entry goes: the last two axes are a tile, the axes before them number the tiles; a long row is folded.
  function layOut(shape, width) {
    const size = shape.reduce((a, b) => a * b, 1);
    let columns = shape.length ? shape[shape.length - 1] : 1;
    let rows = shape.length > 1 ? shape[shape.length - 2] : 1;
    const fold = shape.length === 1 && columns > 64;
    if (fold) {
      rows = Math.ceil(columns / 64);
      columns = 64;
    }
    const tiles = fold ? 1 : size / (rows * columns);
    const fits = (n) => Math.floor((width - (n - 1) * GAP) / (n * columns));
    let across = Math.max(1, Math.min(tiles, Math.round(Math.sqrt((tiles * rows) / columns))));
    while (across > 1 && fits(across) < SMALLEST) across -= 1;
    const down = Math.ceil(tiles / across);
    const tall = Math.floor((TALLEST - (down - 1) * GAP) / (down * rows));
    const cell = Math.max(SMALLEST, Math.min(LARGEST, fits(across), tall));
    const place = (flat) => {
      const tile = Math.floor(flat / (rows * columns));
      const within = flat % (rows * columns);
      return [
        (tile % across) * (columns * cell + GAP) + (within % columns) * cell,
        Math.floor(tile / across) * (rows * cell + GAP) + Math.floor(within / columns) * cell,
      ];
    };
    const at = (x, y) => {
      const tileX = Math.floor(x / (columns * cell + GAP));
      const tileY = Math.floor(y / (rows * cell + GAP));
      const column = Math.floor((x - tileX * (columns * cell + GAP)) / cell);
      const row = Math.floor((y - tileY * (rows * cell + GAP)) / cell);
      const flat = ((tileY * across + tileX) * rows + row) * columns + column;
      const inside = x >= 0 && y >= 0 && tileX < across && column < columns && row < rows;
      return inside && flat < size ? flat : -1;
    };
    return {
      size, rows, columns, cell, place, at, tiles,
      width: across * columns * cell + (across - 1) * GAP,
      height: down * rows * cell + (down - 1) * GAP,
    };
  }

  function indexOf(flat, shape) {
    const index = [];
    for (let i = shape.length - 1; i >= 0; i -= 1) {
      index.unshift(flat % shape[i]);
      flat = Math.floor(flat / shape[i]);
    }
    return index;
  }

  return { layOut, indexOf };
})();
