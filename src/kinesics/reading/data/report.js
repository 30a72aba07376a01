// A report: video, tiers and plots on one clock. No request leaves the page; all text is set as text, never as markup.
"use strict";
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const SHORTEST = 0.25, GUTTER = 148, ROW = 22, PLOT = 52, HEAT = 11, RULER = 24, GAP = 4, UNKNOWN = "unknown";
const HUES = { expression: 44, reasons: 50, smile: 38, blinks: 326, head_events: 148, gestures: 26, self_touch: 12, mutual_gaze: 276,
  gaze_direction: 266, head_direction: 160, active_units: 200, speaking: 208, words: 216, captions: 216, phrases: 232, handshape_left: 96, handshape_right: 84 };
const LINES = ["#6fb7ff", "#ffb45e", "#7fd6a0", "#d69bff", "#ff8fa8", "#9fd0d6"];
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const numbers = (text, Kind) => {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return new Kind(bytes.buffer);
};
for (const person of data.people) {
  for (const plot of person.plots) for (const series of plot.series) series.values = numbers(series.data, Uint16Array);
  if (person.heat) person.heat.values = numbers(person.heat.data, Uint8Array);
  if (person.box) person.box.values = numbers(person.box.data, Float32Array);
  if (person.gaze) person.gaze.values = numbers(person.gaze.data, Float32Array);
}
const hueOf = (name) => {
  if (HUES[name] !== undefined) return HUES[name];
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return sum;
};
const clock = (t) => {
  const rest = Math.max(0, t), minutes = Math.floor(rest / 60), seconds = (rest % 60).toFixed(2).padStart(5, "0");
  return minutes < 60 ? `${minutes}:${seconds}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${seconds}`;
};
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// ---- time -------------------------------------------------------------------------------------------------------------
const video = $("video");
let chosen = 0, start = 0, span = data.duration, ticking = false, at = 0, zero = 0, zeroAt = 0;
let pictures = data.video.kind !== "none";
const now = () => (pictures ? video.currentTime : at);
const playing = () => (pictures ? !video.paused && !video.ended : ticking);
function seek(t) {
  const time = Math.min(Math.max(0, Number.isFinite(t) ? t : 0), data.duration);
  if (pictures) video.currentTime = time;
  at = zero = time;
  zeroAt = performance.now();
  if (time < start || time > start + span) look(time - span / 2, span);
  draw();
}
function toggle() {
  if (pictures) {
    if (video.paused) video.play().catch(() => undefined);
    else video.pause();
  } else {
    if (!ticking && at >= data.duration) at = 0;
    ticking = !ticking;
    zero = at;
    zeroAt = performance.now();
  }
  draw();
}
function look(from, wide) {
  span = Math.min(Math.max(wide, SHORTEST), data.duration);
  start = Math.min(Math.max(0, from), data.duration - span);
  draw();
}
function zoom(factor, around = now()) {
  const share = (around - start) / span, wide = Math.min(Math.max(span * factor, SHORTEST), data.duration);
  look(around - share * wide, wide);
}

// ---- what holds at a time ---------------------------------------------------------------------------------------------
const tier = (person, name) => (person.tiers.find((t) => t.name === name) || { rows: [] }).rows;
function firstBefore(rows, time) { // index of the last interval that starts at or before a time
  let low = 0, high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle][0] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
function holding(rows, time) {
  for (let i = firstBefore(rows, time), steps = 0; i >= 0 && steps < 64; i -= 1, steps += 1) if (rows[i][1] > time) return rows[i];
  return null;
}
const sample = (track, time) => Math.min(Math.max(0, Math.round((time - track.start) * track.rate)), track.count - 1);

// ---- the card of one person -------------------------------------------------------------------------------------------
const EVENTS = { speaking: "", smile: "", frown: "", brow_raise: "", brow_lower: "", nose_wrinkle: "", lip_press: "", cheek_puff: "", tongue_out: "", blinks: "",
  head_events: "", gestures: "", self_touch: "", backchannels: "", looks_at: "looks at ", mutual_gaze: "eye contact with ", gaze_direction: "looks ",
  handshape_left: "left hand: ", handshape_right: "right hand: " };
const percent = (x) => `${Math.round(100 * x)} %`;
let told = "";
function card() {
  const person = data.people[chosen];
  if (!person) return;
  const time = now(), felt = holding(tier(person, "expression"), time), why = holding(tier(person, "reasons"), time);
  const events = Object.keys(EVENTS).map((name) => [name, holding(tier(person, name), time)]).filter(([, e]) => e && e[2] && !e[2].startsWith(UNKNOWN));
  const heat = person.heat, units = [];
  if (heat && heat.count) {
    const i = sample(heat, time) * heat.names.length;
    heat.names.forEach((name, k) => { if (heat.values[i + k] >= 38) units.push([name, heat.values[i + k] / 255]); });
    units.sort((a, b) => b[1] - a[1]);
  }
  const state = JSON.stringify([chosen, felt, why, events, units.slice(0, 6).map(([n, v]) => [n, Math.round(v * 50)])]);
  if (state === told) return;
  told = state;
  const label = felt ? felt[2] : "–";
  $("felt").replaceChildren(label, Object.assign(document.createElement("small"), { textContent: felt ? `${percent(felt[4])} sure` : "" }));
  $("felt").className = !felt || felt[2] === UNKNOWN ? "unknown" : "";
  $("trust").style.width = felt ? percent(felt[4]).replace(" ", "") : "0";
  // Headings stand between two pairs of asterisks.
  $("why").replaceChildren(...(why ? why[2] : "").split("**").map((part, k) =>
    Object.assign(document.createElement(k % 2 ? "b" : "span"), { textContent: part })));
  $("chips").replaceChildren(...events.map(([name, e]) => {
    const chip = document.createElement("span");
    chip.textContent = EVENTS[name] + e[2].replaceAll("_", " ");
    return chip;
  }));
  $("units").replaceChildren(...units.slice(0, 6).flatMap(([name, value]) => {
    const row = [document.createElement("b"), document.createElement("span"), document.createElement("div")], reach = document.createElement("div");
    row[0].textContent = name;
    row[1].textContent = data.units[name] || "";
    row[2].className = "trust";
    row[2].setAttribute("role", "img");
    row[2].setAttribute("aria-label", percent(value));
    reach.style.width = percent(value).replace(" ", "");
    row[2].append(reach);
    return row;
  }));
}

// ---- boxes on the picture ---------------------------------------------------------------------------------------------
function boxes() {
  const canvas = $("boxes");
  if (!pictures) return;
  const ratio = devicePixelRatio || 1, wide = canvas.clientWidth, high = canvas.clientHeight;
  if (canvas.width !== Math.round(wide * ratio)) canvas.width = Math.round(wide * ratio);
  if (canvas.height !== Math.round(high * ratio)) canvas.height = Math.round(high * ratio);
  const c = canvas.getContext("2d"), w = data.size[0] || video.videoWidth, h = data.size[1] || video.videoHeight;
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, wide, high);
  if (!w || !$("marks").checked) return;
  const s = Math.min(wide / w, high / h), left = (wide - w * s) / 2, top = (high - h * s) / 2, time = now();
  data.people.forEach((person, k) => {
    const box = person.box;
    if (!box || time < box.start - 0.05 || time > box.start + box.count / box.rate + 0.05) return;
    const i = 4 * sample(box, time), [x, y, bw, bh] = [0, 1, 2, 3].map((n) => box.values[i + n]);
    if (!(bw > 0)) return;
    c.lineWidth = 2;
    c.strokeStyle = c.fillStyle = person.colour;
    c.strokeRect(left + x * s, top + y * s, bw * s, bh * s);
    const felt = holding(tier(person, "expression"), time), text = `${k + 1}  ${felt ? felt[2] : ""}`;
    c.font = "600 13px system-ui, sans-serif";
    const tag = c.measureText(text).width + 14, ty = Math.max(0, top + y * s - 22);
    c.fillRect(left + x * s - 1, ty, tag, 20);
    c.fillStyle = "#0d1119";
    c.fillText(text, left + x * s + 6, ty + 14.5);
    const gaze = person.gaze;
    if (gaze && gaze.count) {
      const j = 2 * sample(gaze, time), yaw = (gaze.values[j] * Math.PI) / 180, pitch = (gaze.values[j + 1] * Math.PI) / 180;
      if (Number.isFinite(yaw)) {
        const ox = left + (x + bw / 2) * s, oy = top + (y + bh * 0.42) * s, far = bw * s;
        const tx = ox + far * Math.sin(yaw) * Math.cos(pitch), ty2 = oy - far * Math.sin(pitch);
        c.strokeStyle = "#fff";
        c.fillStyle = "#fff";
        c.beginPath();
        c.moveTo(ox, oy);
        c.lineTo(tx, ty2);
        c.stroke();
        c.beginPath();
        c.arc(tx, ty2, 3.5, 0, 7);
        c.fill();
      }
    }
  });
}

// ---- tiers and plots --------------------------------------------------------------------------------------------------
const canvas = $("canvas");
let rows = [], height = 0;
function arrange() {
  const person = data.people[chosen];
  rows = [];
  let top = RULER;
  const add = (row, tall) => { rows.push({ ...row, top, height: tall }); top += tall + GAP; };
  if (person) {
    for (const t of person.tiers) {
      const free = [], lanes = t.rows.map(([a, b]) => {
        let lane = free.findIndex((end) => end <= a + 1e-6);
        if (lane < 0) lane = Math.min(free.length, 3);
        free[lane] = Math.max(free[lane] || 0, b);
        return lane;
      });
      add({ kind: "tier", name: t.name, rows: t.rows, lanes, hue: hueOf(t.name) }, ROW * Math.max(1, free.length));
    }
    for (const plot of person.plots) add({ kind: "plot", name: plot.name, plot }, PLOT);
    if (person.heat) add({ kind: "heat", name: "action units", heat: person.heat }, HEAT * person.heat.names.length + 2);
  }
  height = top + 2;
  canvas.style.height = `${height}px`;
}
const place = (t, wide) => GUTTER + ((t - start) / span) * (wide - GUTTER - 10);
const timeAt = (x, wide) => start + ((x - GUTTER) / (wide - GUTTER - 10)) * span;
function timeline() {
  const ratio = devicePixelRatio || 1, wide = canvas.clientWidth;
  if (!wide) return;
  if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(wide * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const c = canvas.getContext("2d"), ink = style("--ink"), quiet = style("--quiet"), line = style("--line"), fill = style("--fill"), light = style("--light");
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, wide, height);
  c.font = "12.5px system-ui, sans-serif";
  c.textBaseline = "middle";
  const step = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800].find((s) => (s / span) * (wide - GUTTER) > 64) || 3600;
  for (let n = Math.ceil(start / step); n * step <= start + span + 1e-9; n += 1) {
    const x = place(n * step, wide);
    c.fillStyle = line;
    c.fillRect(x, RULER - 5, 1, height);
    c.fillStyle = quiet;
    c.fillText(clock(n * step).replace(/\.00$/, ""), x + 4, 11);
  }
  for (const row of rows) {
    c.fillStyle = quiet;
    if (row.kind !== "heat") c.fillText(row.name.replaceAll("_", " "), 12, row.top + Math.min(row.height, row.kind === "plot" ? 24 : row.height) / 2, GUTTER - 20);
    c.save();
    c.beginPath();
    c.rect(GUTTER, row.top, wide - GUTTER - 10, row.height);
    if (row.kind !== "heat") c.clip();
    if (row.kind === "tier") drawTier(c, row, wide, ink, fill, light);
    else if (row.kind === "plot") drawPlot(c, row, wide, line, quiet);
    else drawHeat(c, row, wide, quiet);
    c.restore();
  }
  const x = place(now(), wide);
  if (x >= GUTTER - 1) {
    c.fillStyle = style("--accent");
    c.fillRect(x - 1, 16, 2, height);
    c.beginPath();
    c.arc(x, 16, 5, 0, 7);
    c.fill();
  }
}
function drawTier(c, row, wide, ink, fill, light) {
  for (let i = Math.max(0, firstBefore(row.rows, start) - 8); i < row.rows.length && row.rows[i][0] < start + span; i += 1) {
    const [a, b, label, , sure] = row.rows[i];
    if (b < start) continue;
    const x = place(a, wide), w = Math.max(2, place(b, wide) - x - 1), y = row.top + row.lanes[i] * ROW, unknown = label.startsWith(UNKNOWN);
    c.globalAlpha = unknown ? 0.35 : 0.35 + 0.65 * sure;
    c.fillStyle = unknown ? "hsl(220 8% 50%)" : `hsl(${row.hue} 58% ${fill})`;
    c.beginPath();
    c.roundRect(x, y + 1, w, ROW - 3, 5);
    c.fill();
    c.globalAlpha = 1;
    if (w > 22) {
      c.save();
      c.beginPath();
      c.rect(Math.max(x, GUTTER), y, x + w - Math.max(x, GUTTER) - 3, ROW);
      c.clip();
      c.fillStyle = ink;
      c.fillText(label, Math.max(x, GUTTER) + 6, y + ROW / 2);
      c.restore();
    }
  }
}
function drawPlot(c, row, wide, line, quiet) {
  const { low, high, series } = row.plot, y = (v) => row.top + 3 + (row.height - 6) * (1 - (v - low) / (high - low));
  c.fillStyle = line;
  if (low < 0) c.fillRect(GUTTER, y(0), wide, 1);
  series.forEach((s, k) => {
    const every = Math.max(1, Math.floor(((span * s.rate) / (wide - GUTTER)) * 0.7)), end = Math.min(s.count, Math.ceil((start + span - s.start) * s.rate) + 2);
    c.strokeStyle = LINES[k % LINES.length];
    c.lineWidth = 1.5;
    c.beginPath();
    let pen = false;
    for (let i = Math.max(0, Math.floor((start - s.start) * s.rate) - 1); i < end; i += every) {
      if (s.values[i] === 65535) { pen = false; continue; } // not sure enough to be shown
      const x = place(s.start + i / s.rate, wide), v = y(low + (s.values[i] / 65534) * (high - low));
      if (pen) c.lineTo(x, v);
      else c.moveTo(x, v);
      pen = true;
    }
    c.stroke();
  });
  c.restore();
  c.save();
  let x = 12;
  series.forEach((s, k) => {
    c.fillStyle = LINES[k % LINES.length];
    c.fillText(s.name, x, row.top + 38, 44);
    x += Math.min(44, c.measureText(s.name).width) + 8;
  });
  c.fillStyle = quiet;
}
function drawHeat(c, row, wide, quiet) {
  const { names, values, rate, count } = row.heat, from = row.heat.start;
  c.font = "9.5px system-ui, sans-serif";
  names.forEach((name, k) => {
    const y = row.top + k * HEAT;
    c.fillStyle = quiet;
    c.fillText(`${name}  ${data.units[name] || ""}`, 12, y + HEAT / 2, GUTTER - 18);
    const every = Math.max(1, Math.floor((span * rate) / (wide - GUTTER)));
    for (let i = Math.max(0, Math.floor((start - from) * rate)); i < Math.min(count, (start + span - from) * rate); i += every) {
      let v = 0;
      for (let j = i; j < Math.min(count, i + every); j += 1) v = Math.max(v, values[j * names.length + k]);
      if (v < 10) continue;
      const x = Math.max(GUTTER, place(from + i / rate, wide));
      c.fillStyle = `hsl(200 80% 58% / ${v / 255})`;
      c.fillRect(x, y, place(from + (i + every) / rate, wide) - x + 0.5, HEAT - 1);
    }
  });
}

// ---- all of it --------------------------------------------------------------------------------------------------------
let asked = false;
function draw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    if (ticking && !pictures) {
      at = Math.min(zero + ((performance.now() - zeroAt) / 1000) * Number($("speed").value), data.duration);
      if (at >= data.duration) ticking = false;
    }
    const time = now(), runs = playing();
    if (runs && time > start + span) start = Math.min(time - (calm.matches ? span / 2 : 0.02 * span), data.duration - span);
    $("play").textContent = runs ? "Pause" : "Play";
    $("clock").textContent = `${clock(time)} / ${clock(data.duration)}`;
    $("line").setAttribute("aria-valuenow", time.toFixed(2));
    $("line").setAttribute("aria-valuetext", clock(time));
    card();
    boxes();
    timeline();
    if (runs) draw();
  });
}
function choose(k) {
  chosen = k;
  [...$("people").children].forEach((tab, n) => {
    tab.setAttribute("aria-selected", String(n === k));
    tab.tabIndex = n === k ? 0 : -1;
  });
  arrange();
  listed = -1;
  if ($("table").open) list();
  draw();
}
let listed = -1;
function list() {
  if (listed === chosen) return;
  listed = chosen;
  const person = data.people[chosen], all = person ? person.tiers.flatMap((t) => t.rows.map((r) => [t.name, r])) : [];
  all.sort((a, b) => a[1][0] - b[1][0]);
  $("body").replaceChildren(...all.slice(0, 5000).map(([name, [a, b, label, value, sure]]) => {
    const row = document.createElement("tr"), go = document.createElement("button");
    go.type = "button";
    go.textContent = clock(a);
    go.addEventListener("click", () => seek(a));
    const cells = [null, clock(b), name.replaceAll("_", " "), label, value === null ? "" : String(value), percent(sure)].map((text) => {
      const cell = document.createElement("td");
      if (text === null) cell.append(go);
      else cell.textContent = text;
      return cell;
    });
    row.append(...cells);
    return row;
  }));
}
function under(event) {
  const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top, time = timeAt(x, box.width);
  const row = rows.find((r) => y >= r.top && y < r.top + r.height);
  return { x, y, time, row, box };
}
function point(event) {
  const { x, y, time, row, box } = under(event), tip = $("tip");
  let text = "";
  if (row && x > GUTTER && row.kind === "tier") {
    const lane = Math.floor((y - row.top) / ROW);
    for (let i = firstBefore(row.rows, time), steps = 0; i >= 0 && steps < 64; i -= 1, steps += 1) {
      if (row.rows[i][1] > time && row.lanes[i] === lane) {
        const [a, b, label, value, sure] = row.rows[i];
        text = `${label}\n${clock(a)} to ${clock(b)}, ${percent(sure)} sure${value === null ? "" : `, value ${Number(value.toPrecision(3))}`}`;
        break;
      }
    }
  } else if (row && x > GUTTER && row.kind === "plot") {
    const { low, high, series } = row.plot;
    text = series.map((s) => {
      const v = s.values[sample(s, time)];
      return `${s.name} ${v === 65535 ? "not sure" : `${(low + (v / 65534) * (high - low)).toFixed(2)} ${s.unit}`}`;
    }).join("\n");
  } else if (row && x > GUTTER && row.kind === "heat") {
    const name = row.heat.names[Math.floor((y - row.top) / HEAT)];
    const k = row.heat.names.indexOf(name);
    if (name) text = `${name} ${data.units[name] || ""}: ${(row.heat.values[sample(row.heat, time) * row.heat.names.length + k] / 255).toFixed(2)}`;
  }
  tip.hidden = !text;
  tip.style.whiteSpace = "pre-line";
  tip.textContent = text;
  tip.style.left = `${Math.min(x + 14, box.width - 250)}px`;
  tip.style.top = `${y + 16}px`;
}
canvas.addEventListener("pointerdown", (event) => {
  const { x, time } = under(event);
  if (x < GUTTER) return;
  canvas.setPointerCapture(event.pointerId);
  seek(time);
});
canvas.addEventListener("pointermove", (event) => {
  if (event.buttons & 1) seek(under(event).time);
  else point(event);
});
canvas.addEventListener("pointerleave", () => { $("tip").hidden = true; });
canvas.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.shiftKey && !event.altKey) return; // plain wheels scroll the page
  event.preventDefault();
  if (event.shiftKey) look(start + ((event.deltaY || event.deltaX) / 600) * span, span);
  else zoom(Math.exp(event.deltaY / 300), under(event).time);
}, { passive: false });
canvas.addEventListener("dblclick", () => look(0, data.duration));
function border(way) { // the next beginning of an interval, in any tier of the chosen person
  const all = data.people[chosen] ? data.people[chosen].tiers.flatMap((t) => t.rows.map((r) => r[0])) : [], time = now();
  const next = way > 0 ? Math.min(...all.filter((t) => t > time + 1e-3)) : Math.max(...all.filter((t) => t < time - 1e-3));
  if (Number.isFinite(next)) seek(next);
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const onButton = event.target.tagName === "BUTTON" || event.target.tagName === "SUMMARY", frame = 1 / data.fps;
  const acts = {
    " ": () => !onButton && toggle(), k: toggle, ArrowLeft: () => seek(now() - (event.shiftKey ? 1 : frame)), ArrowRight: () => seek(now() + (event.shiftKey ? 1 : frame)),
    Home: () => seek(0), End: () => seek(data.duration), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => look(0, data.duration),
    "[": () => border(-1), "]": () => border(1),
  };
  if (event.target.getAttribute("role") === "tab" && /^Arrow(Left|Right)$/.test(event.key)) {
    const next = (chosen + (event.key === "ArrowRight" ? 1 : data.people.length - 1)) % data.people.length;
    choose(next);
    $("people").children[next].focus();
  } else if (/^[1-9]$/.test(event.key) && data.people[event.key - 1]) choose(event.key - 1);
  else if (acts[event.key]) { if (acts[event.key]() === false) return; }
  else return;
  event.preventDefault();
});

document.title = data.title;
$("title").textContent = data.title;
$("facts").textContent = data.facts;
data.people.forEach((person, k) => {
  const tab = document.createElement("button"), dot = document.createElement("i");
  tab.type = "button";
  tab.setAttribute("role", "tab");
  tab.setAttribute("aria-controls", "card");
  dot.style.background = person.colour;
  tab.append(dot, person.name);
  tab.addEventListener("click", () => choose(k));
  $("people").append(tab);
});
$("play").addEventListener("click", toggle);
$("in").addEventListener("click", () => zoom(0.5));
$("out").addEventListener("click", () => zoom(2));
$("whole").addEventListener("click", () => look(0, data.duration));
$("marks").addEventListener("change", draw);
$("table").addEventListener("toggle", list);
$("speed").addEventListener("change", () => {
  video.playbackRate = Number($("speed").value);
  zero = at;
  zeroAt = performance.now();
});
$("line").setAttribute("aria-valuemax", data.duration.toFixed(2));
function without(reason) {
  pictures = false;
  video.hidden = $("boxes").hidden = true;
  $("missing").hidden = false;
  $("missing").textContent = reason;
  draw();
}
if (data.video.kind === "none") without("This report holds no video; its tiers are below.");
else {
  video.addEventListener("error", () => without("The video cannot be shown here: the file is not beside this report, or this browser does not play it."));
  for (const name of ["play", "pause", "seeked", "timeupdate", "loadeddata", "ended"]) video.addEventListener(name, draw);
  video.src = data.video.kind === "link" ? data.video.src : URL.createObjectURL(new Blob([numbers($("film").textContent.trim(), Uint8Array)], { type: data.video.type }));
  video.addEventListener("click", toggle);
}
new ResizeObserver(draw).observe(canvas);
matchMedia("(prefers-color-scheme: light)").addEventListener("change", draw);
choose(0);
