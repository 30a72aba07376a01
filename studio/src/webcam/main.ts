/** The webcam page: pictures out, what was read in, drawn over the video and done by an avatar. */

import "./webcam.css";
import { byId } from "../dom";
import { nearest, type Answer, type Figure } from "./answer";
import { Cards } from "./cards";
import { Mirror } from "./mirror";
import { draw, type Shown } from "./overlay";
import { Ticker } from "./ticker";

/** Pixels of the longer side that are sent. */
const LARGEST = 640;
/** Pictures on their way: one is read while the next one travels. */
const IN_FLIGHT = 2;
/** Milliseconds between two drawings of the running timeline. */
const TICK = 50;

const video = byId<HTMLVideoElement>("video");
const marks = byId<HTMLCanvasElement>("marks");
const mirrored = byId<HTMLInputElement>("mirror");
const mesh = byId<HTMLInputElement>("mesh");
const trouble = byId("trouble");
/** The picture as the camera gives it, which is shown, and as it is sent. */
const full = new OffscreenCanvas(1, 1);
const small = new OffscreenCanvas(1, 1);
// Both away from the graphics card: to fetch pixels back from it takes longer than to read them.
const pens = [full, small].map((canvas) => canvas.getContext("2d", { willReadFrequently: true })!);
const figure = (await (await fetch("figure.json")).json()) as Figure;
const ticker = new Ticker(byId<HTMLCanvasElement>("ticker"));
const cards = new Cards(byId("people"), (name) => (focus = name));
const dark = matchMedia("(prefers-color-scheme: dark)");

let socket: WebSocket | null = null;
let stream: MediaStream | null = null;
let mirror: Mirror | null = null;
let zero = 0;
let ticked = 0;
let sent = -1;
let answers: number[] = [];
let shown: Shown | null = null;
let focus: string | null = null;
/** Time → the picture that was sent then: what is drawn over is what was read. */
const shots = new Map<number, ImageBitmap>();

/** What tests and scripts find: `window.kinesics`. */
const outside: { answer: Answer | null; rate: number; late: number; mirror: Mirror | null } = { answer: null, rate: 0, late: 0, mirror: null };
Object.assign(window, { kinesics: outside });

byId("start").addEventListener("click", () => void begin());
byId("stop").addEventListener("click", () => end(""));
const flip = () => document.body.classList.toggle("mirrored", mirrored.checked);
mirrored.addEventListener("change", flip);
flip();
new ResizeObserver(redraw).observe(byId("frame"));
const frame = () => {
  mirror?.step();
  const now = performance.now();
  if (stream && now - ticked > TICK) {
    ticked = now;
    ticker.draw(focus, (now - zero) / 1000, dark.matches);
  }
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
void openMirror();

async function openMirror(): Promise<void> {
  try {
    const bytes = await (await fetch("avatar.glb")).arrayBuffer();
    mirror = await Mirror.open(byId<HTMLCanvasElement>("avatar"), byId("room"), bytes);
    outside.mirror = mirror;
  } catch (error) {
    // Without WebGL everything else still works.
    console.warn("no avatar:", error);
    document.body.classList.add("alone");
  }
}

async function begin(): Promise<void> {
  trouble.textContent = "";
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
      audio: false,
    });
  } catch (error) {
    trouble.textContent = refusal(error as DOMException);
    return;
  }
  // A camera that is pulled out, or taken away in the address bar.
  stream.getVideoTracks()[0]?.addEventListener("ended", () => end("The camera has gone."));
  video.srcObject = stream;
  await video.play();
  const address = new URL("read", location.href);
  address.protocol = "ws:";
  socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  byId("rate").textContent = "making the detectors ready …";
  sent = -1;
  zero = performance.now();
  socket.addEventListener("message", (event) => answered(JSON.parse(event.data as string) as Answer));
  socket.addEventListener("close", (event) =>
    end(event.reason || "The program on this machine has gone: start it again with kinesics read webcam."));
  document.body.classList.add("running");
  byId("hello").hidden = true;
  byId("stop").hidden = false;
  next();
}

function refusal(error: DOMException): string {
  if (error.name === "NotAllowedError") {
    return "The browser was not allowed to use the camera. Allow it in the address bar, then start again.";
  }
  if (error.name === "NotFoundError") return "This machine has no camera that the browser can see.";
  if (error.name === "NotReadableError") return "The camera is in use by another program: close that one first.";
  return `The camera could not be started: ${error.message}`;
}

function end(reason: string): void {
  if (!stream) return;
  stream.getTracks().forEach((track) => track.stop());
  stream = null;
  socket?.close();
  socket = null;
  video.srcObject = null;
  shots.forEach((picture) => picture.close());
  shots.clear();
  shown?.picture.close();
  shown = focus = null;
  cards.clear();
  ticker.clear();
  mirror?.aim(null);
  document.body.classList.remove("running");
  byId("hello").hidden = false;
  byId("stop").hidden = true;
  byId("rate").textContent = "";
  trouble.textContent = reason;
  redraw();
}

function next(): void {
  if (!stream) return;
  video.requestVideoFrameCallback(() => {
    send();
    next();
  });
}

function send(): void {
  if (socket?.readyState !== WebSocket.OPEN || shots.size >= IN_FLIGHT || !video.videoWidth || video.currentTime === sent) return;
  sent = video.currentTime;
  const share = Math.min(1, LARGEST / Math.max(video.videoWidth, video.videoHeight));
  const width = Math.round(video.videoWidth * share);
  const height = Math.round(video.videoHeight * share);
  fit(full, video.videoWidth, video.videoHeight);
  fit(small, width, height);
  // The camera goes on meanwhile: what is sent is made of the very picture that will be shown.
  pens[0]!.drawImage(video, 0, 0);
  pens[1]!.drawImage(full, 0, 0, width, height);
  const pixels = pens[1]!.getImageData(0, 0, width, height).data;
  const message = new Uint8Array(16 + pixels.length);
  const head = new DataView(message.buffer);
  const time = (performance.now() - zero) / 1000;
  head.setUint32(0, width, true);
  head.setUint32(4, height, true);
  head.setFloat64(8, time, true);
  message.set(pixels, 16);
  shots.set(time, full.transferToImageBitmap());
  socket.send(message);
}

function fit(canvas: OffscreenCanvas, width: number, height: number): void {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
}

function answered(answer: Answer): void {
  const picture = shots.get(answer.time);
  if (!picture) return;
  shots.delete(answer.time);
  for (const [time, older] of shots) {
    if (time > answer.time) continue;
    older.close(); // it was dropped for a newer one
    shots.delete(time);
  }
  shown?.picture.close();
  shown = { answer, picture, width: small.width, height: small.height };
  told(answer);
  focus = nearest(answer.people, focus)?.name ?? focus;
  for (const person of answer.people) ticker.add(person, answer.time);
  cards.update(answer, focus);
  mirror?.aim(answer.people.find((p) => p.name === focus)?.mirror ?? null);
  redraw();
}

function told(answer: Answer): void {
  const at = performance.now();
  answers = [...answers.filter((t) => at - t < 2000), at];
  const rate = answers.length > 1 ? ((answers.length - 1) * 1000) / (at - answers[0]!) : 0;
  const speed = rate.toFixed(rate < 10 ? 1 : 0);
  const late = at - zero - answer.time * 1000;
  byId("rate").textContent = `${speed} pictures/s, ${answer.took.toFixed(0)} ms to read, ${late.toFixed(0)} ms behind`;
  Object.assign(outside, { answer, rate, late });
}

function redraw(): void {
  draw(marks, figure, shown, { mirrored: mirrored.checked, mesh: mesh.checked });
}
