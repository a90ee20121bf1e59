"use strict";
// Heat maps: analytic, numeric and error side by side, drawn when their case is opened.
(() => {
  const { layOut, indexOf } = Layout;
  const KINDS = ["analytic", "numeric", "error"];
  const NARROWEST = 104; // as in the style sheet
  const BETWEEN = 20;
  const DIGITS = 9;
  const FAINTEST = -8; // the error map goes from 1e-8 to 1
  const PALETTES = {
    light: { ink: "#1b1b1f", paper: "#ffffff", negative: [26, 92, 168], zero: [246, 246, 244], positive: [178, 84, 0], none: [246, 246, 244], full: [104, 0, 84], middle: [214, 110, 150] },
    dark: { ink: "#f2f2f4", paper: "#17181b", negative: [104, 172, 244], zero: [40, 41, 46], positive: [244, 158, 66], none: [40, 41, 46], full: [255, 224, 130], middle: [196, 84, 110] },
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const maps = [];

  function create(tag, name, text) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  const mix = (from, to, share) => from.map((value, i) => Math.round(value + (to[i] - value) * share));
  const css = (color) => `rgb(${color.join(" ")})`;
  const pad = (text) => text.replace(/e([+-])(\d)$/, "e$10$2");
  // A bound is never shown smaller than it is.
  const roundUp = (value) => {
    const text = value.toExponential(0);
    const [mantissa, exponent] = text.split("e");
    return pad(Number(text) < value ? Number(`${Number(mantissa) + 1}e${exponent}`).toExponential(0) : text);
  };
  const write = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(DIGITS))) : String(value).replace("Infinity", "inf"));

  function errorOf(analytic, numeric, bound) {
    if (!Number.isFinite(analytic) || !Number.isFinite(numeric)) return NaN;
    const difference = Math.abs(analytic - numeric);
    return difference <= bound ? 0 : difference / Math.max(Math.abs(analytic), Math.abs(numeric));
  }

  class HeatMap {
    constructor(figure) {
      const data = JSON.parse(figure.querySelector("script").textContent);
      this.figure = figure;
      this.name = data.name;
      this.shape = data.shape;
      this.axis = data.axis;
      this.outputs = data.outputs;
      this.inner = data.inner;
      this.input = data.input;
      for (const key of ["analytic", "numeric", "bound"]) {
        this[key] = Float64Array.from(data[key], (v) => (typeof v === "string" ? Number(v.replace("inf", "Infinity")) : v));
      }
      this.error = this.analytic.map((value, i) => errorOf(value, this.numeric[i], this.bound[i]));
      this.wrong = new Set(data.wrong);
      this.largest = 0;
      for (const key of ["analytic", "numeric"]) {
        for (const value of this[key]) if (Number.isFinite(value)) this.largest = Math.max(this.largest, Math.abs(value));
      }
      this.current = this.worst();
      this.build();
      this.draw();
    }

    worst() {
      const weight = (i) => (Number.isNaN(this.error[i]) ? Infinity : this.error[i]);
      const among = this.wrong.size ? [...this.wrong] : this.error.keys();
      let best = 0;
      let most = -1;
      for (const i of among) if (weight(i) > most) [best, most] = [i, weight(i)];
      return best;
    }

    build() {
      const { kind, shape } = this.figure.dataset;
      const caption = create("figcaption", "", `Heat maps of the ${kind}, ${shape}${this.direction()}`);
      this.frame = create("div", "map");
      this.frame.tabIndex = 0;
      this.frame.setAttribute("role", "application");
      this.frame.setAttribute("aria-label", `Heat maps of ${this.name}, ${shape}. Arrow keys move, Home goes to the worst entry.`);
      this.panels = KINDS.map((name) => {
        const panel = create("div", "panel");
        const canvas = create("canvas");
        canvas.setAttribute("aria-hidden", "true");
        panel.append(create("p", "title", name === "error" ? "relative error" : name), canvas, this.legend(name));
        this.frame.append(panel);
        canvas.addEventListener("pointermove", (event) => this.point(event, canvas));
        canvas.addEventListener("pointerdown", (event) => this.point(event, canvas));
        return { name, canvas };
      });
      this.frame.addEventListener("keydown", (event) => this.press(event));
      this.readout = create("output", "readout");
      this.readout.setAttribute("aria-live", "polite");
      this.figure.append(caption, this.frame, this.readout);
    }

    direction() {
      if (this.outputs.length) return "; a row for each entry of the output, a column for each of the input";
      if (this.axis === null) return "";
      const last = this.shape.length - 1;
      const way = this.axis === last ? "to the right" : this.axis === last - 1 ? "downwards" : "from tile to tile";
      return `; axis ${this.axis} runs ${way}`;
    }

    legend(name) {
      const legend = create("div", "legend");
      const bar = create("canvas");
      bar.setAttribute("aria-hidden", "true");
      bar.dataset.name = name;
      const ends = name === "error" ? ["≤ 1e-8", "1e-4", "1"] : [-this.largest, 0, this.largest].map((v) => String(Number(v.toPrecision(2))));
      const labels = create("div", "ends");
      for (const text of ends) labels.append(create("span", "", text));
      legend.append(bar, labels);
      return legend;
    }

    color(name, value, palette) {
      if (Number.isNaN(value)) return null;
      if (name === "error") {
        const share = value === 0 ? 0 : Math.min(1, Math.max(0, 1 - Math.log10(value) / FAINTEST));
        return share < 0.5 ? mix(palette.none, palette.middle, share * 2) : mix(palette.middle, palette.full, share * 2 - 1);
      }
      if (!Number.isFinite(value)) return null;
      // The square root, so that small entries are seen beside large ones.
      const share = this.largest ? Math.sqrt(Math.abs(value) / this.largest) : 0;
      return mix(palette.zero, value < 0 ? palette.negative : palette.positive, share);
    }

    draw() {
      const palette = PALETTES[dark.matches ? "dark" : "light"];
      const width = this.figure.clientWidth;
      const third = Math.max(NARROWEST, (width - 2 * BETWEEN) / 3);
      const [narrow, wide] = [layOut(this.shape, third), layOut(this.shape, width)];
      // Three beside each other, unless that makes the cells too small for a finger, or for the eye.
      const legible = narrow.cell >= (width < 620 ? 10 : 5) || narrow.cell === wide.cell;
      const beside = legible && Math.max(NARROWEST, narrow.width) * 3 + 2 * BETWEEN <= width;
      this.layout = beside ? narrow : wide;
      this.frame.classList.toggle("beside", beside);
      const ratio = window.devicePixelRatio || 1;
      for (const { name, canvas } of this.panels) {
        const { width, height, cell, size, place } = this.layout;
        canvas.width = Math.ceil(width * ratio);
        canvas.height = Math.ceil(height * ratio);
        canvas.style.width = `${width}px`;
        canvas.style.height = `${height}px`;
        const pen = canvas.getContext("2d");
        pen.scale(ratio, ratio);
        const gap = cell >= 10 ? 1 : 0;
        for (let i = 0; i < size; i += 1) {
          const [x, y] = place(i);
          const color = this.color(name, this[name][i], palette);
          pen.fillStyle = color ? css(color) : css(palette.zero);
          pen.fillRect(x, y, cell - gap, cell - gap);
          if (!color) this.hatch(pen, x, y, cell - gap, palette);
          else if (name === "error" && this.wrong.has(i) && cell >= 6) this.mark(pen, x, y, cell - gap, color);
        }
        this.outline(pen, palette);
      }
      for (const legend of this.figure.querySelectorAll(".legend")) {
        legend.style.width = `${Math.max(NARROWEST, Math.min(220, this.layout.width))}px`;
        this.paint(legend.firstChild, palette);
      }
      this.read();
    }

    hatch(pen, x, y, size, palette) {
      pen.strokeStyle = palette.ink;
      pen.lineWidth = 1;
      pen.beginPath();
      for (const part of [0, 0.5, 1]) {
        pen.moveTo(x, y + size * part);
        pen.lineTo(x + size * part, y);
        pen.moveTo(x + size * part, y + size);
        pen.lineTo(x + size, y + size * part);
      }
      pen.stroke();
    }

    mark(pen, x, y, size, color) {
      const bright = 0.3 * color[0] + 0.6 * color[1] + 0.1 * color[2] > 140;
      pen.fillStyle = bright ? "#000" : "#fff";
      pen.beginPath();
      pen.arc(x + size / 2, y + size / 2, Math.max(1, size / 7), 0, 7);
      pen.fill();
    }

    outline(pen, palette) {
      const [x, y] = this.layout.place(this.current);
      const side = this.layout.cell;
      // A line of the other brightness inside, so that it is seen on cells of any colour.
      const lines = side >= 10 ? [[palette.paper, 2.5, 1], [palette.ink, 1, 2]] : [[palette.ink, 1, 2]];
      for (const [color, inset, thickness] of lines) {
        pen.strokeStyle = color;
        pen.lineWidth = thickness;
        pen.strokeRect(x + inset, y + inset, side - 2 * inset, side - 2 * inset);
      }
    }

    paint(bar, palette) {
      bar.width = 200;
      bar.height = 1;
      const pen = bar.getContext("2d");
      for (let x = 0; x < 200; x += 1) {
        const share = x / 199;
        const value = bar.dataset.name === "error" ? 10 ** (FAINTEST * (1 - share)) : (2 * share - 1) * this.largest;
        pen.fillStyle = css(this.color(bar.dataset.name, value, palette));
        pen.fillRect(x, 0, 1, 1);
      }
    }

    move(to) {
      if (to < 0 || to >= this.layout.size || to === this.current) return;
      this.current = to;
      this.draw();
    }

    point(event, canvas) {
      const box = canvas.getBoundingClientRect();
      this.move(this.layout.at(event.clientX - box.left, event.clientY - box.top));
    }

    // Scroll the frame so that the entry is seen.
    follow() {
      const [x, y] = this.layout.place(this.current);
      const { cell } = this.layout;
      const canvas = this.panels[0].canvas;
      const box = this.frame.getBoundingClientRect();
      const from = canvas.getBoundingClientRect();
      const left = from.left - box.left + x;
      const top = from.top - box.top + y;
      this.frame.scrollBy(Math.min(0, left) + Math.max(0, left + cell - box.width), Math.min(0, top) + Math.max(0, top + cell - box.height));
    }

    press(event) {
      const { rows, columns } = this.layout;
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, PageDown: rows * columns, PageUp: -rows * columns };
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key in steps) this.move(this.current + steps[event.key]);
      else if (event.key === "Home") this.move(this.worst());
      else return;
      event.preventDefault();
      this.follow();
    }

    // A row of a Jacobian is an entry of one of the outputs, a column one of the input.
    whereOf(i) {
      const at = (index) => (index.length ? `[${index.join(", ")}]` : "");
      if (!this.outputs.length) return this.name + at(indexOf(i, this.shape));
      let [row, column] = indexOf(i, this.shape);
      let number = 0;
      const sizes = this.outputs.map((shape) => shape.reduce((a, b) => a * b, 1));
      while (row >= sizes[number]) row -= sizes[number++];
      const output = `y${this.outputs.length > 1 ? number : ""}${at(indexOf(row, this.outputs[number]))}`;
      return `d ${output} / d ${this.input}${at(indexOf(column, this.inner))}`;
    }

    read() {
      const i = this.current;
      const error = this.error[i];
      const said = Number.isNaN(error) ? "not finite" : error === 0 ? "within the bound" : `rel. error ${pad(error.toExponential(1))}`;
      const facts = [
        ["", this.whereOf(i)],
        ["analytic ", write(this.analytic[i])],
        ["numeric ", `${write(this.numeric[i])} ± ${roundUp(this.bound[i])}`],
        ["", this.wrong.has(i) ? `${said}, wrong` : said],
      ];
      this.readout.replaceChildren(
        ...facts.map(([label, value]) => {
          const fact = create("span", "fact");
          fact.append(create("span", "label", label), create("b", "", value), " ");
          return fact;
        }),
      );
    }
  }

  document.querySelector("ul.cases").addEventListener(
    "toggle",
    (event) => {
      if (!event.target.open) return;
      for (const figure of event.target.querySelectorAll("figure.maps:not(.drawn)")) {
        figure.classList.add("drawn");
        maps.push(new HeatMap(figure));
      }
    },
    true,
  );
  const redraw = () => maps.forEach((map) => map.figure.clientWidth && map.draw());
  dark.addEventListener("change", redraw);
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(redraw, 100);
  });
})();
