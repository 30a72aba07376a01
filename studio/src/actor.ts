/** Whoever stands on the stage: the loaded file, its animation, and where its head and hips are. */

import type { VRM } from "@pixiv/three-vrm";
import {
  AnimationMixer, Box3, Mesh, Object3D, Quaternion, SkinnedMesh, Vector3, type AnimationAction, type AnimationClip,
} from "three";
import { Bones } from "./bones";
import type { Landmarks } from "./framing";
import { settle, standAtEase } from "./vrm";

type Part = "hips" | "neck" | "head" | "leftEye" | "rightEye";

/** Names that other tools give to these bones, in lower case and without prefix. */
const ALIASES: Record<Part, string[]> = {
  hips: ["hips", "hip", "pelvis", "j_bip_c_hips"],
  neck: ["neck", "neck1", "neck_01", "j_bip_c_neck"],
  head: ["head", "j_bip_c_head"],
  leftEye: ["lefteye", "eye_l", "eye.l", "left_eye", "j_adj_l_faceeye"],
  rightEye: ["righteye", "eye_r", "eye.r", "right_eye", "j_adj_r_faceeye"],
};

/** Samples per second of the way over the floor. */
const PATH_RATE = 10;

/** Farther than this share of its height from the start, the camera goes along. */
const WALKS_AWAY = 0.35;

export class Actor {
  readonly marks: Landmarks;
  readonly hasMesh: boolean;
  readonly morphNames: string[];
  private readonly mixer: AnimationMixer;
  private action: AnimationAction | null = null;
  private path: Float32Array | null = null;
  private readonly bones: Bones | null;
  private shown = -1;

  constructor(readonly root: Object3D, readonly clips: AnimationClip[], readonly vrm: VRM | null) {
    this.mixer = new AnimationMixer(root);
    const meshes: Mesh[] = [];
    root.traverse((node) => {
      if (!(node as Mesh).isMesh) return;
      const mesh = node as Mesh;
      meshes.push(mesh);
      mesh.castShadow = true;
      mesh.receiveShadow = true;
      // Bounds are those of the rest pose: an animated arm would vanish at the edge of the picture.
      mesh.frustumCulled = false;
    });
    this.hasMesh = meshes.length > 0;
    this.morphNames = [...new Set(meshes.flatMap((mesh) => Object.keys(mesh.morphTargetDictionary ?? {})))];
    if (vrm && clips.length > 0) {
      // The file's own animation turns the raw bones and moves the morphs themselves: normalised bones,
      // expressions and look-at would undo it.
      vrm.humanoid.autoUpdateHumanBones = false;
      Object.assign(vrm, { expressionManager: undefined, lookAt: undefined });
    } else if (vrm) {
      standAtEase(vrm);
    } else if (clips.length === 0) {
      this.lowerArms();
    }
    root.updateMatrixWorld(true);
    this.bones = this.hasMesh ? null : new Bones(root);
    if (this.bones) root.add(this.bones.mesh);
    this.marks = this.measure(meshes);
    if (vrm) settle(vrm);
  }

  get duration(): number {
    return this.action?.getClip().duration ?? 0;
  }

  get height(): number {
    return Math.max(1e-3, this.marks.box.max.y - this.marks.box.min.y);
  }

  /** Choose which of the file's animations is shown. */
  choose(index: number): void {
    this.mixer.stopAllAction();
    this.action = null;
    this.path = null;
    this.shown = -1;
    const clip = this.clips[index];
    if (!clip) return;
    this.action = this.mixer.clipAction(clip);
    this.action.play();
    this.path = this.walk(clip);
  }

  /** Take the pose of a time in seconds; `playing` lets hair and cloth swing on from the last pose. */
  pose(time: number, playing = false): void {
    const step = time - this.shown;
    if (this.action) {
      // Setting the time and updating by nothing makes the pose a function of the time alone.
      this.action.time = Math.min(Math.max(0, time), this.duration);
      this.mixer.update(0);
    }
    if (this.vrm) {
      if (playing && step > 0 && step < 0.1) this.vrm.update(step);
      else if (step !== 0) settle(this.vrm);
    }
    this.shown = time;
    if (this.bones) {
      this.root.updateMatrixWorld(true);
      this.bones.update();
    }
  }

  /** Where on the floor the camera should stand for, smoothed over a second; null: it stays. */
  place(time: number): { x: number; z: number } | null {
    if (!this.path) return null;
    const at = Math.min(this.path.length / 2 - 1, Math.max(0, time * PATH_RATE));
    const low = Math.floor(at);
    const high = Math.min(this.path.length / 2 - 1, low + 1);
    const mix = (k: number) => this.path![low * 2 + k]! * (1 - at + low) + this.path![high * 2 + k]! * (at - low);
    return { x: mix(0), z: mix(1) };
  }

  /** Our own avatars rest as a T with world-aligned bones: let the arms hang where nothing moves them. */
  private lowerArms(): void {
    for (const [name, angle] of [["leftUpperArm", -1.2], ["rightUpperArm", 1.2]] as const) {
      const arm = this.root.getObjectByName(name);
      if (arm && arm.quaternion.equals(new Quaternion())) arm.rotation.z = angle;
    }
  }

  private find(part: Part): Object3D | null {
    const known = this.vrm?.humanoid.getRawBoneNode(part);
    if (known) return known;
    let found: Object3D | null = null;
    this.root.traverse((node) => {
      if (found || (node as Mesh).isMesh) return;
      const plain = node.name.toLowerCase().replace(/^.*[:|]/, "").replace(/^mixamorig\d*_?/, "");
      if (ALIASES[part].includes(plain)) found = node;
    });
    return found;
  }

  private measure(meshes: Mesh[]): Landmarks {
    const at = (part: Part) => this.find(part)?.getWorldPosition(new Vector3()) ?? null;
    const box = new Box3();
    // Skinned meshes are measured where their bones put them, not where the file stored them.
    for (const mesh of meshes) {
      if ((mesh as SkinnedMesh).isSkinnedMesh) (mesh as SkinnedMesh).skeleton.update();
      box.expandByObject(mesh, true);
    }
    if (box.isEmpty()) {
      this.root.traverse((node) => box.expandByPoint(node.getWorldPosition(new Vector3())));
    }
    const left = at("leftEye");
    const right = at("rightEye");
    return {
      box, hips: at("hips"), neck: at("neck"), head: at("head"),
      eyes: left && right ? left.add(right).multiplyScalar(0.5) : null,
    };
  }

  /** The hips' way over the floor; one point where it does not lead away. */
  private walk(clip: AnimationClip): Float32Array | null {
    const hips = this.find("hips");
    const track = hips && clip.tracks.find((item) => item.name === `${hips.name}.position`);
    if (!hips || !track || !hips.parent) return null;
    const sampler = (track as unknown as { createInterpolant(): { evaluate(t: number): ArrayLike<number> } })
      .createInterpolant();
    const count = Math.min(36_000, Math.ceil(clip.duration * PATH_RATE) + 1);
    const raw = new Float32Array(count * 2);
    const point = new Vector3();
    for (let i = 0; i < count; i += 1) {
      point.fromArray(sampler.evaluate(i / PATH_RATE)).applyMatrix4(hips.parent.matrixWorld);
      raw[i * 2] = point.x;
      raw[i * 2 + 1] = point.z;
    }
    let reach = 0;
    for (let i = 0; i < count; i += 1) {
      reach = Math.max(reach, Math.hypot(raw[i * 2]! - raw[0]!, raw[i * 2 + 1]! - raw[1]!));
    }
    if (reach < this.height * WALKS_AWAY) {
      // Who stays is framed where they stand on average, not where the file rests.
      let x = 0;
      let z = 0;
      for (let i = 0; i < count; i += 1) {
        x += raw[i * 2]! / count;
        z += raw[i * 2 + 1]! / count;
      }
      return Float32Array.of(x, z);
    }
    const smooth = new Float32Array(raw.length);
    const radius = Math.round(PATH_RATE / 2);
    for (let i = 0; i < count; i += 1) {
      for (let k = 0; k < 2; k += 1) {
        let sum = 0;
        for (let j = i - radius; j <= i + radius; j += 1) sum += raw[Math.min(count - 1, Math.max(0, j)) * 2 + k]!;
        smooth[i * 2 + k] = sum / (2 * radius + 1);
      }
    }
    return smooth;
  }
}

