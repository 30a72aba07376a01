/** The avatar that does what somebody before the camera does. */

import { MathUtils, Quaternion, type Mesh, type Object3D } from "three";
import { shot } from "../framing";
import { load } from "../load";
import { Stage } from "../scene";
import type { Pose } from "./answer";

/** Seconds in which two thirds of a way are gone: poses come less often than pictures are drawn. */
const QUICK = 0.03;
const HEAD = 0.06;
const BODY = 0.13;
/** Seconds between two drawings, and how many times as long as one takes: without a graphics card they take from the detectors. */
const LEAST = 0.03;
const SPARING = 4;
const REST = new Quaternion();

interface Bone {
  node: Object3D;
  /** Where it rests, where it goes, and how quickly. */
  rest: Quaternion;
  goal: Quaternion;
  pace: number;
}

interface Morph {
  mesh: Mesh;
  index: number;
  name: string;
}

export class Mirror {
  private readonly stage: Stage;
  private readonly bones = new Map<string, Bone>();
  private readonly morphs: Morph[] = [];
  private face: Record<string, number> = {};
  private last = 0;
  /** Seconds until the browser was ready again after the last drawing. */
  private cost = 0;
  private drawn = false;

  private constructor(canvas: HTMLCanvasElement, room: HTMLElement) {
    this.stage = new Stage(canvas);
    new ResizeObserver(() => {
      this.stage.resize();
      this.stage.render();
    }).observe(room);
  }

  static async open(canvas: HTMLCanvasElement, room: HTMLElement, bytes: ArrayBuffer): Promise<Mirror> {
    const mirror = new Mirror(canvas, room);
    const { actor } = await load(bytes);
    actor.root.traverse((node) => {
      const mesh = node as Mesh;
      if (mesh.isMesh) {
        for (const [name, index] of Object.entries(mesh.morphTargetDictionary ?? {})) mirror.morphs.push({ mesh, index, name });
      } else {
        const rest = node.quaternion.clone();
        const pace = /Eye$/.test(node.name) ? QUICK : /^(neck|head)$/.test(node.name) ? HEAD : BODY;
        mirror.bones.set(node.name, { node, rest, goal: rest.clone(), pace });
      }
    });
    const { stage } = mirror;
    stage.scene.add(actor.root);
    const { hips, box } = actor.marks;
    stage.setSubject(actor.height, hips ?? box.getCenter(box.min.clone()), box.min.y);
    stage.resize();
    stage.frame(shot("bust", actor.marks));
    return mirror;
  }

  /** Where to go next; null: back to rest. With a body more of the avatar is shown. */
  aim(pose: Pose | null): void {
    this.face = pose?.face ?? {};
    for (const [name, bone] of this.bones) {
      const turn = pose?.joints[name];
      if (turn) bone.goal.fromArray(turn);
      else bone.goal.copy(bone.rest);
    }
  }

  /** One step towards it; called once per frame. */
  step(): void {
    const now = performance.now() / 1000;
    if (this.drawn) this.cost = now - this.last;
    this.drawn = false;
    if (now - this.last < Math.max(LEAST, SPARING * (this.cost - LEAST))) return;
    const passed = now - this.last;
    this.last = now;
    for (const { node, goal, pace } of this.bones.values()) {
      if (node.quaternion.equals(goal)) continue;
      node.quaternion.slerp(goal, 1 - Math.exp(-passed / pace));
      if (node.quaternion.angleTo(goal) < 1e-4) node.quaternion.copy(goal);
      this.stage.dirty = true;
    }
    const share = 1 - Math.exp(-passed / QUICK);
    for (const { mesh, index, name } of this.morphs) {
      const weights = mesh.morphTargetInfluences!;
      const wanted = this.face[name] ?? 0;
      if (Math.abs(weights[index]! - wanted) < 1e-4) continue;
      weights[index] = MathUtils.lerp(weights[index]!, wanted, share);
      this.stage.dirty = true;
    }
    this.stage.pace(true);
    this.drawn = this.stage.advance();
    if (this.drawn) this.stage.render();
  }

  /** How far a joint is turned from where it began, degrees: for tests. */
  turned(name: string): number {
    const bone = this.bones.get(name);
    return bone ? MathUtils.radToDeg(bone.node.quaternion.angleTo(REST)) : NaN;
  }
}
