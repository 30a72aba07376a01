// The webcam page: pictures out, what was read in, drawn over the video. All text is set as text, never as markup.
const $ = (id) => document.getElementById(id);
const COLOURS = ["#62d6c4", "#f7b862", "#b6a0fa", "#f692ac", "#8cc6ff", "#acde86"];
const LARGEST = 640; // pixels of the longer side that are sent
const IN_FLIGHT = 2; // pictures on their way: one is read while the next one travels
const SECONDS = 5;
const FADE = 0.8;
const figure = await (await fetch("figure.json")).json();
const video = $("video");
const small = document.createElement("canvas");
const pen = small.getContext("2d", { willReadFrequently: true });
let socket = null, stream = null, waiting = 0, zero = 0, answers = [], now = null, sent = -1;
const shots = new Map(); // time → the picture that was sent then: what is drawn over is what was read
let shown = null;
const cards = new Map(); // name → what is shown of a person

$("start").addEventListener("click", begin);
$("stop").addEventListener("click", () => end(""));
$("mirror").addEventListener("change", () => document.body.classList.toggle("mirrored", $("mirror").checked));
document.body.classList.toggle("mirrored", $("mirror").checked);

async function begin() {
  $("trouble").textContent = "";
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } }, audio: false });
  } catch (error) {
    $("trouble").textContent = error.name === "NotAllowedError" ? "The browser was not allowed to use the camera. Allow it in the address bar, then start again."
      : error.name === "NotFoundError" ? "This machine has no camera that the browser can see." : `The camera could not be started: ${error.message}`;
    return;
  }
  video.srcObject = stream;
  await video.play();
  const address = new URL("read", location.href);
  address.protocol = "ws:";
  socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  $("rate").textContent = "making the detectors ready …";
  socket.addEventListener("open", () => { waiting = 0; sent = -1; zero = performance.now(); });
  socket.addEventListener("message", (event) => answered(JSON.parse(event.data)));
  socket.addEventListener("close", (event) => end(event.reason || "The program on this machine has gone: start it again with kinesics read webcam."));
  $("hello").hidden = true;
  $("stop").hidden = false;
  next();
}

function end(reason) {
  if (!stream) return;
  stream.getTracks().forEach((track) => track.stop());
  stream = null;
  socket?.close();
  socket = now = null;
  video.srcObject = null;
  cards.clear();
  shots.clear();
  shown?.close();
  shown = null;
  $("people").replaceChildren();
  $("hello").hidden = false;
  $("stop").hidden = true;
  $("rate").textContent = "";
  $("trouble").textContent = reason;
  marks();
}

function next() {
  if (!stream) return;
  const again = () => { send(); marks(); next(); };
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(again);
  else requestAnimationFrame(again);
}

function send() {
  if (!socket || socket.readyState !== WebSocket.OPEN || waiting >= IN_FLIGHT || !video.videoWidth || video.currentTime === sent) return;
  sent = video.currentTime;
  const share = Math.min(1, LARGEST / Math.max(video.videoWidth, video.videoHeight));
  const width = Math.round(video.videoWidth * share), height = Math.round(video.videoHeight * share);
  if (small.width !== width || small.height !== height) [small.width, small.height] = [width, height];
  pen.drawImage(video, 0, 0, width, height);
  const pixels = pen.getImageData(0, 0, width, height).data, message = new Uint8Array(16 + pixels.length), head = new DataView(message.buffer);
  head.setUint32(0, width, true);
  head.setUint32(4, height, true);
  const time = (performance.now() - zero) / 1000;
  head.setFloat64(8, time, true);
  shots.set(time, createImageBitmap(video));
  message.set(pixels, 16);
  socket.send(message);
  waiting += 1;
}

async function answered(answer) {
  waiting = Math.max(0, waiting - 1);
  const picture = await shots.get(answer.time);
  for (const time of shots.keys()) if (time <= answer.time) shots.delete(time);
  shown?.close();
  shown = picture ?? null;
  now = answer;
  const at = performance.now();
  answers = [...answers.filter((t) => at - t < 2000), at];
  const per = answers.length > 1 ? ((answers.length - 1) * 1000) / (at - answers[0]) : 0;
  const late = at - zero - answer.time * 1000;
  $("rate").textContent = `${per.toFixed(0)} pictures/s, ${answer.took.toFixed(0)} ms to read, ${late.toFixed(0)} ms behind`;
  window.kinesics = { answer, rate: per, late };
  people(answer);
  marks();
}

const numberOf = (name) => (Number(/\d+$/.exec(name)?.[0] ?? 1) - 1 + COLOURS.length * 100) % COLOURS.length;

// ---- over the video ---------------------------------------------------------------------------------------------------
function marks() {
  const canvas = $("marks"), ratio = devicePixelRatio || 1, wide = canvas.clientWidth, high = canvas.clientHeight;
  if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(high * ratio)) {
    canvas.width = Math.round(wide * ratio);
    canvas.height = Math.round(high * ratio);
  }
  const c = canvas.getContext("2d");
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, wide, high);
  if (!now || !small.width) return;
  const s = Math.min(wide / small.width, high / small.height), left = (wide - small.width * s) / 2, top = (high - small.height * s) / 2;
  const mirrored = $("mirror").checked;
  const x = (v) => (mirrored ? wide - left - v * s : left + v * s), y = (v) => top + v * s;
  if (shown) {
    c.save();
    if (mirrored) c.transform(-1, 0, 0, 1, wide, 0);
    c.drawImage(shown, left, top, small.width * s, small.height * s);
    c.restore();
  }
  c.lineCap = "round";
  for (const person of now.people) {
    const colour = COLOURS[numberOf(person.name)];
    const lines = (flat, pairs, width, alpha, paint = colour) => {
      c.globalAlpha = alpha;
      c.strokeStyle = paint;
      c.lineWidth = width;
      c.beginPath();
      for (const [a, b] of pairs) {
        if (flat[2 * a] == null || flat[2 * b] == null) continue;
        c.moveTo(x(flat[2 * a]), y(flat[2 * a + 1]));
        c.lineTo(x(flat[2 * b]), y(flat[2 * b + 1]));
      }
      c.stroke();
      c.globalAlpha = 1;
    };
    if (person.pose.length) lines(person.pose, figure.pairs.pose, 3, 0.8);
    for (const hand of person.hands) {
      lines(hand, figure.pairs.hand, 2.5, 0.9);
      c.fillStyle = "#fff";
      for (let i = 0; i < hand.length; i += 2) if (hand[i] != null) dot(c, x(hand[i]), y(hand[i + 1]), 2.4);
    }
    const face = person.face;
    if (face.length) {
      if ($("mesh").checked) {
        c.fillStyle = "rgb(255 255 255 / 45%)";
        for (let i = 0; i < 2 * figure.mesh; i += 2) c.fillRect(x(face[i]) - 0.7, y(face[i + 1]) - 0.7, 1.4, 1.4);
      }
      lines(face, figure.pairs.oval, 1.2, 0.6);
      for (const part of ["brows", "lids", "lips"]) lines(face, figure.pairs[part], 1.6, 0.95);
      for (const [middle, rim] of figure.irises) {
        if (face[2 * middle] == null) continue;
        const ox = x(face[2 * middle]), oy = y(face[2 * middle + 1]);
        const r = rim.reduce((sum, k) => sum + Math.hypot(face[2 * k] - face[2 * middle], face[2 * k + 1] - face[2 * middle + 1]), 0) / rim.length;
        c.strokeStyle = "#fff";
        c.lineWidth = 1.4;
        c.beginPath();
        c.arc(ox, oy, r * s, 0, 7);
        c.stroke();
        if (person.gaze && person.box.length) {
          const yaw = (person.gaze.yaw * Math.PI) / 180, pitch = (person.gaze.pitch * Math.PI) / 180, far = (person.box[2] - person.box[0]) * s;
          c.lineWidth = 2;
          c.beginPath();
          c.moveTo(ox, oy);
          c.lineTo(ox + (mirrored ? -1 : 1) * far * Math.sin(yaw) * Math.cos(pitch), oy - far * Math.sin(pitch));
          c.stroke();
        }
      }
    }
    if (person.box.length) {
      const [a, b, d, e] = person.box, px = Math.min(x(a), x(d)), py = y(b), text = `${person.name}${person.expression ? `  ${person.expression}` : ""}`;
      c.strokeStyle = c.fillStyle = colour;
      c.lineWidth = 2;
      c.strokeRect(px, py, (d - a) * s, (e - b) * s);
      c.font = "600 14px system-ui, sans-serif";
      c.fillRect(px - 1, Math.max(0, py - 24), c.measureText(text).width + 14, 22);
      c.fillStyle = "#0d1119";
      c.fillText(text, px + 6, Math.max(0, py - 24) + 16);
    }
  }
}
function dot(c, x, y, r) {
  c.beginPath();
  c.arc(x, y, r, 0, 7);
  c.fill();
}

// ---- beside it --------------------------------------------------------------------------------------------------------
function make(tag, parent, name = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  parent.append(element);
  return element;
}
function people(answer) {
  for (const [name, card] of cards) {
    if (answer.people.some((p) => p.name === name)) card.seen = answer.time;
    else if (answer.time - card.seen > 2) {
      card.root.remove();
      cards.delete(name);
    }
  }
  for (const person of answer.people) {
    let card = cards.get(person.name);
    if (!card) {
      const root = make("section", $("people"), "person");
      root.style.setProperty("--own", COLOURS[numberOf(person.name)]);
      make("h2", root).textContent = person.name;
      card = { root, felt: make("div", root, "felt"), chips: make("div", root, "chips"), why: make("p", root), units: make("div", root), plot: make("canvas", root), events: new Map(), past: [], seen: answer.time };
      card.label = make("span", card.felt);
      card.sure = make("small", card.felt);
      cards.set(person.name, card);
    }
    card.label.textContent = person.expression ?? "–";
    card.sure.textContent = person.confidence === null ? "" : `${Math.round(100 * person.confidence)} % sure`;
    card.why.textContent = person.reasons ?? "";
    for (const event of person.events) card.events.set(event, answer.time);
    for (const [event, last] of card.events) if (answer.time - last > FADE) card.events.delete(event);
    card.chips.replaceChildren(...[...card.events].map(([event, last]) => {
      const chip = document.createElement("span");
      chip.textContent = event;
      chip.style.opacity = String(1 - 0.7 * ((answer.time - last) / FADE));
      return chip;
    }));
    card.units.replaceChildren(...person.units.map(([unit, name, value]) => {
      const row = document.createElement("div");
      row.className = "row";
      make("b", row).textContent = unit;
      make("span", row).textContent = name;
      make("i", make("div", row)).style.width = `${Math.round(100 * value)}%`;
      return row;
    }));
    card.past = [...card.past.filter(([t]) => answer.time - t < SECONDS), [answer.time, person.curves]];
    card.plot.hidden = !person.curves.length;
    curves(card);
  }
}
function curves(card) {
  const canvas = card.plot, ratio = devicePixelRatio || 1, wide = canvas.clientWidth, high = canvas.clientHeight;
  if (!wide) return;
  canvas.width = Math.round(wide * ratio);
  canvas.height = Math.round(high * ratio);
  const c = canvas.getContext("2d"), [end, latest] = card.past.at(-1), tall = high / latest.length, style = getComputedStyle(card.root);
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.font = "12px system-ui, sans-serif";
  latest.forEach(([label], k) => {
    c.fillStyle = style.getPropertyValue("--quiet");
    c.fillText(label, 0, (k + 0.5) * tall + 4);
    c.strokeStyle = style.getPropertyValue("--own");
    c.lineWidth = 1.6;
    c.beginPath();
    for (const [t, values] of card.past) if (values[k]) c.lineTo(wide - ((end - t) / SECONDS) * (wide - 76), (k + 0.92 - 0.84 * values[k][1]) * tall);
    c.stroke();
  });
}
new ResizeObserver(marks).observe($("frame"));
