/** Look into a binary glTF before the loader does, so that what it lacks can be said in words. */

export interface GltfJson {
  asset?: { version?: string; generator?: string; extras?: Record<string, unknown> };
  extras?: Record<string, unknown>;
  extensionsRequired?: string[];
  extensionsUsed?: string[];
  buffers?: { uri?: string; byteLength: number }[];
  bufferViews?: unknown[];
  images?: { uri?: string }[];
  meshes?: { primitives?: { targets?: unknown[] }[] }[];
  animations?: unknown[];
  nodes?: { name?: string; children?: number[] }[];
}

/** Required extensions that this page can honour. Draco and Basis need decoders that are not bundled. */
const KNOWN = new Set([
  "KHR_lights_punctual", "KHR_materials_clearcoat", "KHR_materials_ior", "KHR_materials_sheen",
  "KHR_materials_specular", "KHR_materials_transmission", "KHR_materials_iridescence",
  "KHR_materials_anisotropy", "KHR_materials_unlit", "KHR_materials_volume", "KHR_materials_dispersion",
  "KHR_materials_emissive_strength", "KHR_texture_transform", "KHR_mesh_quantization",
  "EXT_texture_webp", "EXT_texture_avif", "EXT_materials_bump", "EXT_mesh_gpu_instancing",
  "VRM", "VRMC_vrm", "VRMC_materials_mtoon", "VRMC_springBone", "VRMC_node_constraint",
  "VRMC_materials_hdr_emissiveMultiplier",
]);

export function readJson(bytes: ArrayBuffer): GltfJson {
  const view = new DataView(bytes);
  if (bytes.byteLength < 20 || view.getUint32(0, true) !== 0x46546c67) {
    throw new Error("This is not a binary glTF (GLB or VRM) file.");
  }
  const length = view.getUint32(12, true);
  if (view.getUint32(16, true) !== 0x4e4f534a || 20 + length > bytes.byteLength) {
    throw new Error("The file is damaged: its first chunk is not whole.");
  }
  return JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 20, length))) as GltfJson;
}

/** Required extensions that cannot be honoured. */
export function unknownExtensions(json: GltfJson): string[] {
  return (json.extensionsRequired ?? []).filter((name) => !KNOWN.has(name));
}

/** Does the file point at other files, which this page never fetches? */
export function pointsOutside(json: GltfJson): boolean {
  const outside = (item: { uri?: string }) => item.uri !== undefined && !item.uri.startsWith("data:");
  return (json.buffers ?? []).some(outside) || (json.images ?? []).some(outside);
}
