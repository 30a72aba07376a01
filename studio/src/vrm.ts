/** What is special about VRM avatars, 0.x and 1.0. */

import { VRMUtils, type VRM } from "@pixiv/three-vrm";

/** Turn 0.x avatars to face +Z like all others, and drop what is never drawn. */
export function prepare(vrm: VRM): void {
  VRMUtils.rotateVRM0(vrm);
  VRMUtils.removeUnnecessaryVertices(vrm.scene);
}

/** Without an animation a VRM rests as a T; let the arms hang, as people stand. */
export function standAtEase(vrm: VRM): void {
  const turn = (bone: "leftUpperArm" | "rightUpperArm" | "leftLowerArm" | "rightLowerArm", z: number, y = 0) => {
    const node = vrm.humanoid.getNormalizedBoneNode(bone);
    if (node) node.rotation.set(0, y, z);
  };
  turn("leftUpperArm", -1.22);
  turn("rightUpperArm", 1.22);
  turn("leftLowerArm", -0.1, -0.12);
  turn("rightLowerArm", 0.1, 0.12);
  vrm.humanoid.update();
}

/** Bring hair and cloth to rest in the present pose: the same time then always gives the same picture. */
export function settle(vrm: VRM): void {
  const springs = vrm.springBoneManager;
  vrm.update(0);
  if (!springs || springs.joints.size === 0) return;
  springs.reset();
  for (let i = 0; i < 20; i += 1) springs.update(1 / 60);
}

export function isOld(vrm: VRM): boolean {
  return vrm.meta.metaVersion === "0";
}
