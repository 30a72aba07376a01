/** Bones from joint to joint, for files that carry motion but no body. */

import {
  BufferGeometry, Float32BufferAttribute, InstancedMesh, Matrix4, MeshStandardMaterial, Object3D, Quaternion, Vector3,
} from "three";

const UP = new Vector3(0, 1, 0);

export class Bones {
  readonly mesh: InstancedMesh;
  private readonly pairs: [Object3D, Object3D][] = [];
  private readonly from = new Vector3();
  private readonly to = new Vector3();
  private readonly turn = new Quaternion();
  private readonly matrix = new Matrix4();
  private readonly size = new Vector3();

  constructor(private readonly root: Object3D) {
    root.traverse((node) => {
      // The first joint hangs from nodes that only place it: no bone leads there.
      const placing = node === root || node.parent === root || node.parent?.parent === root;
      if (node.parent && !placing) this.pairs.push([node.parent, node]);
    });
    const material = new MeshStandardMaterial({ color: "#86aef2", roughness: 0.55, flatShading: true });
    this.mesh = new InstancedMesh(octahedron(), material, this.pairs.length);
    this.mesh.castShadow = true;
    this.mesh.receiveShadow = true;
    this.mesh.frustumCulled = false;
    this.update();
  }

  update(): void {
    this.pairs.forEach(([parent, child], index) => {
      this.root.worldToLocal(this.from.setFromMatrixPosition(parent.matrixWorld));
      this.root.worldToLocal(this.to.setFromMatrixPosition(child.matrixWorld));
      this.to.sub(this.from);
      const length = this.to.length();
      if (length > 0) this.turn.setFromUnitVectors(UP, this.to.divideScalar(length));
      // A little slimmer than long: fingers stay apart, thighs do not become balls.
      const width = Math.sqrt(length) * 0.075;
      this.mesh.setMatrixAt(index, this.matrix.compose(this.from, this.turn, this.size.set(width, length, width)));
    });
    this.mesh.instanceMatrix.needsUpdate = true;
  }
}

/** A bone along +Y from 0 to 1, thickest near its beginning. */
function octahedron(): BufferGeometry {
  const ring = [[1, 0], [0, 1], [-1, 0], [0, -1]] as const;
  const corners: number[] = [];
  ring.forEach(([x, z], i) => {
    const [nextX, nextZ] = ring[(i + 1) % 4]!;
    corners.push(0, 1, 0, nextX, 0.16, nextZ, x, 0.16, z);
    corners.push(0, 0, 0, x, 0.16, z, nextX, 0.16, nextZ);
  });
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new Float32BufferAttribute(corners, 3));
  geometry.computeVertexNormals();
  return geometry;
}
