/** Small betterments of how surfaces take the stage's light. */

import { FrontSide, Mesh, type Material, type MeshStandardMaterial, type Object3D } from "three";

export function polish(root: Object3D): void {
  const seen = new Set<Material>();
  root.traverse((node) => {
    if (!(node as Mesh).isMesh) return;
    const material = (node as Mesh).material;
    for (const item of Array.isArray(material) ? material : [material]) {
      if (seen.has(item)) continue;
      seen.add(item);
      tune(item as MeshStandardMaterial);
    }
  });
}

function tune(material: MeshStandardMaterial): void {
  // Shadows of thin shells (hair, cloth) come from the side that is seen, else they stripe themselves.
  material.shadowSide = FrontSide;
  for (const map of [material.map, material.normalMap]) {
    if (map) map.anisotropy = 8;
  }
}
