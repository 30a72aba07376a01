/** From bytes to an actor, sound and tiers, with a note of everything the file lacks. */

import { VRMLoaderPlugin, type VRM } from "@pixiv/three-vrm";
import { LoadingManager } from "three";
import { GLTFLoader, type GLTF } from "three/examples/jsm/loaders/GLTFLoader.js";
import { Actor } from "./actor";
import { pointsOutside, readJson, unknownExtensions } from "./glb";
import { readExtras, type Extras } from "./kinesics";
import { polish } from "./materials";
import { Sound } from "./sound";
import { isOld, prepare } from "./vrm";

export interface Loaded {
  actor: Actor;
  sound: Sound | null;
  extras: Extras;
  kind: string;
  /** What is not there, in a few words each. */
  lacks: string[];
  /** What is there and could not be used, in a sentence each. */
  faults: string[];
}

const EMPTY_IMAGE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

export async function load(bytes: ArrayBuffer): Promise<Loaded> {
  const json = readJson(bytes);
  const unknown = unknownExtensions(json);
  if (unknown.length > 0) {
    throw new Error(`The file needs ${unknown.join(", ")}, which this viewer does not read. Export it without.`);
  }
  const extras = readExtras(json);
  const faults = [...extras.faults];
  if (pointsOutside(json)) faults.push("Pictures outside the file are not loaded.");

  const manager = new LoadingManager();
  // Nothing but the file itself: addresses in it are never followed.
  manager.setURLModifier((url) => (/^(blob|data):/.test(url) ? url : EMPTY_IMAGE));
  const loader = new GLTFLoader(manager);
  loader.register((parser) => new VRMLoaderPlugin(parser));
  const gltf = await loader.parseAsync(bytes, "");
  const vrm = (gltf.userData["vrm"] as VRM | undefined) ?? null;
  if (vrm) prepare(vrm);
  else polish(gltf.scene);

  const actor = new Actor(gltf.scene, gltf.animations, vrm);
  const sound = await readSound(gltf, extras, faults);
  return { actor, sound, extras, kind: kindOf(extras, vrm), lacks: lacking(actor, sound, extras), faults };
}

async function readSound(gltf: GLTF, extras: Extras, faults: string[]): Promise<Sound | null> {
  if (!extras.audio) return null;
  try {
    return await Sound.decode(await gltf.parser.getDependency("bufferView", extras.audio.bufferView));
  } catch (error) {
    console.warn("sound not decoded:", error);
    faults.push(`The sound (${extras.audio.mimeType}) could not be decoded by this browser.`);
    return null;
  }
}

function kindOf(extras: Extras, vrm: VRM | null): string {
  const file = vrm ? (isOld(vrm) ? "VRM 0.x" : "VRM 1.0") : "glTF";
  return extras.ours ? "Kinesics performance" : file;
}

function lacking(actor: Actor, sound: Sound | null, extras: Extras): string[] {
  const lacks: string[] = [];
  if (!actor.hasMesh) lacks.push("body (its bones are drawn)");
  if (actor.clips.length === 0) lacks.push("animation");
  if (!sound && !extras.audio) lacks.push("sound");
  if (extras.tiers.length === 0) lacks.push("tiers");
  const expressive = (actor.vrm?.expressionManager?.expressions.length ?? 0) > 0;
  if (actor.hasMesh && actor.morphNames.length === 0 && !expressive) lacks.push("face shapes");
  return lacks;
}
