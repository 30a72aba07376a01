/** The stage: renderer, light, floor and camera. Knows nothing of what stands on it. */

import {
  ACESFilmicToneMapping, AmbientLight, BackSide, CircleGeometry, Color, DataTexture, DirectionalLight, DoubleSide, Group,
  LinearFilter, MathUtils, Mesh, MeshBasicMaterial, NeutralToneMapping, Object3D, PCFShadowMap, PerspectiveCamera,
  PlaneGeometry, PMREMGenerator, RGBAFormat, Scene, ShadowMaterial, SphereGeometry, SRGBColorSpace, Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import type { Shot } from "./framing";

/** Milliseconds; a few frames in a row slower than this make the picture coarser. */
const SLOW_FRAME = 55;
/** Share of the full resolution, step by step. */
const COARSE = [1, 0.75, 0.5];

export type Tone = "neutral" | "aces";

export class Stage {
  readonly scene = new Scene();
  readonly camera = new PerspectiveCamera(24, 1, 0.05, 100);
  readonly renderer: WebGLRenderer;
  readonly controls: OrbitControls;
  /** Set when something moved that is not the camera. */
  dirty = true;
  private shot: Shot | null = null;
  private flight: { from: Pose; to: Pose; start: number } | null = null;
  private lastFrame = 0;
  private slow = 0;
  private coarse = 0;
  private readonly key = new DirectionalLight("#fff1e2", 2.45);
  private readonly floor = new Group();

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, powerPreference: "high-performance" });
    this.renderer.outputColorSpace = SRGBColorSpace;
    this.renderer.setPixelRatio(Math.min(2, window.devicePixelRatio || 1));
    this.renderer.shadowMap.enabled = true;
    this.renderer.shadowMap.type = PCFShadowMap;
    this.setTone("neutral");
    this.light();
    this.scene.add(this.floor);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = true;
    this.controls.dampingFactor = 0.12;
    this.controls.minDistance = 0.25;
    this.controls.maxDistance = 14;
    this.controls.maxPolarAngle = Math.PI * 0.62;
    this.controls.addEventListener("change", () => (this.dirty = true));
    this.controls.addEventListener("start", () => (this.flight = null));
  }

  setTone(tone: Tone): void {
    this.renderer.toneMapping = tone === "aces" ? ACESFilmicToneMapping : NeutralToneMapping;
    this.renderer.toneMappingExposure = tone === "aces" ? 1.05 : 1.0;
    this.dirty = true;
  }

  /** Scale light, shadow and floor to whoever stands on the stage. */
  setSubject(height: number, centre: Vector3, floorY: number): void {
    const reach = height * 0.75;
    this.key.position.set(centre.x + height * 0.75, floorY + height * 1.75, centre.z + height * 1.35);
    this.key.target.position.set(centre.x, floorY + height * 0.55, centre.z);
    const camera = this.key.shadow.camera;
    camera.left = -reach;
    camera.right = reach;
    camera.top = reach;
    camera.bottom = -reach;
    camera.near = height * 0.3;
    camera.far = height * 4;
    camera.updateProjectionMatrix();
    this.key.shadow.normalBias = height * 0.012;
    this.floor.scale.setScalar(height / 1.7);
    this.floor.position.set(centre.x, floorY, centre.z);
    this.controls.minDistance = height * 0.12;
    this.controls.maxDistance = height * 9;
    this.camera.near = height * 0.02;
    this.camera.far = height * 40;
    this.dirty = true;
  }

  /** Carry light and floor along with someone who walks away. */
  moveTo(x: number, z: number): void {
    const dx = x - this.floor.position.x;
    const dz = z - this.floor.position.z;
    if (dx === 0 && dz === 0) return;
    for (const thing of [this.floor, this.key, this.key.target, this.camera]) {
      thing.position.x += dx;
      thing.position.z += dz;
    }
    this.controls.target.x += dx;
    this.controls.target.z += dz;
    this.controls.update();
    this.dirty = true;
  }

  frame(shot: Shot, options: { smooth?: boolean } = {}): void {
    this.shot = shot;
    const to = this.poseOf(shot);
    if (options.smooth) {
      const from = { position: this.camera.position.clone(), target: this.controls.target.clone() };
      this.flight = { from, to, start: performance.now() };
    } else {
      this.flight = null;
      this.put(to);
    }
  }

  resize(): void {
    const { clientWidth, clientHeight } = this.canvas.parentElement!;
    if (clientWidth < 2 || clientHeight < 2) return;
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.camera.aspect = clientWidth / clientHeight;
    this.camera.updateProjectionMatrix();
    if (this.shot) this.put(this.poseOf(this.shot));
    this.dirty = true;
  }

  /** Let the camera glide; true when a new picture is needed. */
  advance(): boolean {
    if (this.flight) {
      const part = Math.min(1, (performance.now() - this.flight.start) / 450);
      const ease = part * part * (3 - 2 * part);
      const { from, to } = this.flight;
      this.put({
        position: from.position.clone().lerp(to.position, ease),
        target: from.target.clone().lerp(to.target, ease),
      });
      if (part >= 1) this.flight = null;
    } else {
      this.controls.update();
    }
    return this.dirty;
  }

  render(): void {
    this.dirty = false;
    this.renderer.render(this.scene, this.camera);
  }

  /**
   * Keep motion fluent where pictures come slowly (no graphics card): coarser while playing, full when still.
   * Called once per frame.
   */
  pace(playing: boolean): void {
    const now = performance.now();
    const took = now - this.lastFrame;
    this.lastFrame = now;
    if (!playing) {
      this.slow = 0;
      if (this.coarse > 0) this.setCoarse(0);
      return;
    }
    this.slow = took > SLOW_FRAME ? this.slow + (took > 3 * SLOW_FRAME ? 4 : 1) : Math.max(0, this.slow - 1);
    if (this.slow > 6 && this.coarse < COARSE.length - 1) {
      this.slow = 0;
      this.setCoarse(this.coarse + 1);
    }
  }

  private setCoarse(level: number): void {
    this.coarse = level;
    this.renderer.setPixelRatio(Math.min(2, window.devicePixelRatio || 1) * COARSE[level]!);
    // Shadows cost a second pass over every vertex; at the coarsest they stay where they were.
    this.renderer.shadowMap.autoUpdate = level < COARSE.length - 1;
    this.dirty = true;
  }

  private put(pose: Pose): void {
    this.camera.position.copy(pose.position);
    this.controls.target.copy(pose.target);
    this.camera.lookAt(pose.target);
    this.controls.update();
    this.dirty = true;
  }

  private poseOf(shot: Shot): Pose {
    const half = Math.tan(MathUtils.degToRad(this.camera.fov) / 2);
    const distance = Math.max(shot.halfHeight / half, shot.halfWidth / (half * this.camera.aspect)) + shot.depth;
    const azimuth = MathUtils.degToRad(shot.azimuth);
    const elevation = MathUtils.degToRad(shot.elevation);
    const away = new Vector3(
      Math.sin(azimuth) * Math.cos(elevation), Math.sin(elevation), Math.cos(azimuth) * Math.cos(elevation),
    );
    const target = shot.target.clone();
    // In a narrow window more fits above and below than asked for: keep the room over the head small.
    const spare = (distance - shot.depth) * half - shot.halfHeight;
    target.y -= Math.max(0, spare) * 0.6;
    return { position: target.clone().addScaledVector(away, distance), target };
  }

  private light(): void {
    this.key.castShadow = true;
    this.key.shadow.mapSize.set(2048, 2048);
    this.key.shadow.bias = -0.0003;
    this.key.shadow.radius = 5;
    const fill = new DirectionalLight("#dfe9ff", 0.4);
    fill.position.set(-1.7, 1.25, 2.4);
    const rimLeft = new DirectionalLight("#d6e4ff", 3);
    rimLeft.position.set(-2.2, 1.3, -2.4);
    const rimRight = new DirectionalLight("#ffe6cf", 2);
    rimRight.position.set(2.5, 1.1, -2.3);
    // Near the camera's axis: its reflection falls beside the pupil, where the lids leave it visible.
    const eyeLight = new DirectionalLight("#ffffff", 0.4);
    eyeLight.position.set(-0.55, 0.62, 2.4);
    this.scene.add(this.key, this.key.target, fill, eyeLight, rimLeft, rimRight, new AmbientLight("#ffffff", 0.08));
    this.scene.environment = softboxes(this.renderer);
    this.scene.environmentIntensity = 0.44;

    const disc = new Mesh(
      new CircleGeometry(1.25, 96),
      new MeshBasicMaterial({
        map: radial([[0, 0.3], [0.35, 0.2], [0.75, 0.07], [1, 0]]), color: "#aeb9cc", transparent: true,
        depthWrite: false, toneMapped: false,
      }),
    );
    const contact = new Mesh(
      new PlaneGeometry(1.15, 0.85),
      new MeshBasicMaterial({
        map: radial([[0, 0.42], [0.4, 0.22], [0.8, 0.04], [1, 0]]), color: "#04060a", transparent: true,
        depthWrite: false, toneMapped: false,
      }),
    );
    const shadow = new Mesh(new CircleGeometry(2.4, 96), new ShadowMaterial({ opacity: 0.3, color: "#04060a" }));
    (shadow.material as ShadowMaterial).depthWrite = false;
    shadow.receiveShadow = true;
    [disc, contact, shadow].forEach((mesh, order) => {
      mesh.rotation.x = -Math.PI / 2;
      mesh.position.y = -0.004 + order * 0.001;
      mesh.renderOrder = -3 + order;
      this.floor.add(mesh);
    });
  }
}

interface Pose {
  position: Vector3;
  target: Vector3;
}

/** A white disc texture whose opacity falls along the given [radius, opacity] points. */
function radial(points: [number, number][]): DataTexture {
  const size = 128;
  const data = new Uint8Array(size * size * 4).fill(255);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const radius = Math.min(1, Math.hypot(x + 0.5 - size / 2, y + 0.5 - size / 2) / (size / 2));
      const next = Math.max(1, points.findIndex(([r]) => r >= radius));
      const [r0, a0] = points[next - 1]!;
      const [r1, a1] = points[next]!;
      data[(y * size + x) * 4 + 3] = 255 * MathUtils.lerp(a0, a1, MathUtils.smoothstep(radius, r0, r1));
    }
  }
  const texture = new DataTexture(data, size, size, RGBAFormat);
  texture.magFilter = LinearFilter;
  texture.minFilter = LinearFilter;
  texture.colorSpace = SRGBColorSpace;
  texture.needsUpdate = true;
  return texture;
}

/** Surroundings made of soft boxes: skin gets soft light from them and eyes their highlights. */
function softboxes(renderer: WebGLRenderer) {
  const room = new Scene();
  const walls = new Mesh(new SphereGeometry(10, 32, 16), new MeshBasicMaterial({ side: BackSide, color: "#6b7078" }));
  room.add(walls);
  const box = (width: number, height: number, strength: number, tint: string, at: [number, number, number]): Object3D => {
    const colour = new Color(tint).multiplyScalar(strength);
    const mesh = new Mesh(new PlaneGeometry(width, height), new MeshBasicMaterial({ color: colour, side: DoubleSide }));
    mesh.position.set(...at);
    mesh.lookAt(0, 0, 0);
    return mesh;
  };
  room.add(
    box(4.5, 4.5, 7, "#fff4e8", [4.5, 4.2, 5.5]),
    box(5, 3.2, 2.6, "#e6efff", [-6.5, 1.8, 4]),
    box(6, 6, 3, "#ffffff", [0, 9, 0]),
    box(2, 6, 5, "#dbe7ff", [-5, 3, -6]),
    box(2, 6, 3, "#ffe9d4", [5.5, 2.5, -5.5]),
  );
  const ground = new Mesh(new CircleGeometry(9, 32), new MeshBasicMaterial({ color: "#4a4d54" }));
  ground.rotation.x = -Math.PI / 2;
  ground.position.y = -3;
  room.add(ground);
  const generator = new PMREMGenerator(renderer);
  const target = generator.fromScene(room, 0, 0.1, 100, { size: 64 });
  generator.dispose();
  return target.texture;
}
