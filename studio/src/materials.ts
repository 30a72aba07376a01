/** Small betterments of how surfaces take the stage's light. */

import { FrontSide, Mesh, MeshPhysicalMaterial, type Material, type MeshStandardMaterial, type Object3D } from "three";

/** Better the materials of a figure in place; what they are is read from their names. */
export function polish(root: Object3D): void {
  const done = new Map<Material, Material>();
  const better = (material: Material): Material => {
    const known = done.get(material) ?? tune(material as MeshStandardMaterial);
    done.set(material, known);
    return known;
  };
  root.traverse((node) => {
    if (!(node as Mesh).isMesh) return;
    const mesh = node as Mesh;
    mesh.material = Array.isArray(mesh.material) ? mesh.material.map(better) : better(mesh.material);
  });
}

function tune(material: MeshStandardMaterial): Material {
  // Shadows of thin shells (hair, cloth) come from the side that is seen, else they stripe themselves.
  material.shadowSide = FrontSide;
  for (const map of [material.map, material.normalMap]) {
    if (map) map.anisotropy = 8;
  }
  const name = material.name.toLowerCase();
  if (!material.isMeshStandardMaterial) return material;
  if (/^(skin|body|face|head)\b/.test(name)) return skin(material);
  if (/eye(?!brow|lash|lid)|cornea|iris/.test(name)) {
    // A wet surface, but rough enough that the lights' reflections are larger than a pixel.
    material.roughness = 0.17;
    material.envMapIntensity = 1.8;
  }
  return material;
}

/** Light that enters skin leaves it softer and redder at grazing angles; a faint sheen stands for that. */
function skin(material: MeshStandardMaterial): Material {
  if ((material as MeshPhysicalMaterial).isMeshPhysicalMaterial) return material;
  const { name, color, map, normalMap, normalScale, roughnessMap, aoMap, transparent, opacity, alphaTest, side, vertexColors } =
    material;
  const result = new MeshPhysicalMaterial({
    name, color, map, normalMap, normalScale, roughnessMap, aoMap, transparent, opacity, alphaTest, side, vertexColors,
    roughness: Math.min(0.52, Math.max(0.42, material.roughness)), metalness: 0, specularIntensity: 0.9,
    sheen: 0.45, sheenColor: "#ff8f6b", sheenRoughness: 0.42,
  });
  result.shadowSide = FrontSide;
  result.userData = material.userData;
  return result;
}
