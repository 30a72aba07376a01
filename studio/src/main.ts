/** Start the page: fetch the one file, put it on the stage, wire the controls. */

import "./style.css";
import { Show } from "./show";

function number(name: string): number | undefined {
  const text = new URLSearchParams(location.search).get(name);
  const value = text === null ? NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

interface About {
  name: string;
  bytes: number;
  people: string[];
  film: string | null;
}

async function start(show: Show): Promise<void> {
  const asked = new URLSearchParams(location.search);
  const on = (name: string) => asked.has(name) && asked.get(name) !== "0";
  if (on("clean")) document.body.classList.add("clean");
  const about = (await (await get("about.json")).json()) as About;
  const person = Math.min(Math.max(0, Math.trunc(number("person") ?? 0)), Math.max(0, about.people.length - 1));
  const bytes = await (await get(person > 0 ? `performance-${person}.glb` : "performance.glb")).arrayBuffer();
  await show.open(bytes, about.name, {
    view: asked.get("view") ?? undefined,
    time: number("t"),
    azimuth: number("azimuth"),
    elevation: number("elevation"),
    paused: on("paused") || on("clean"),
    tone: asked.get("tone") ?? undefined,
    film: about.film === null ? undefined : { address: "film", name: about.film },
    people: about.people,
    person,
  });
}

async function get(path: string): Promise<Response> {
  const response = await fetch(path, { credentials: "omit" });
  if (!response.ok) throw new Error(`The viewer's server answered ${response.status}. Was it closed?`);
  return response;
}

const show = new Show();
const ready = start(show).catch((error: unknown) => {
  show.fail(error instanceof Error ? error.message : String(error));
  throw error;
});
// The page itself shows the error; whoever awaits `kinesics.ready` gets it too.
ready.catch(() => undefined);
window.kinesics = show.api(ready);
