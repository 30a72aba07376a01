// What @pixiv/three-vrm makes of a model and a clip, in numbers and as a picture. Driven by run.py.
import { VRMLoaderPlugin, VRMUtils } from "@pixiv/three-vrm";
import { VRMAnimationLoaderPlugin, VRMLookAtQuaternionProxy, createVRMAnimationClip } from "@pixiv/three-vrm-animation";
import {
  AmbientLight, AnimationMixer, Color, DirectionalLight, PerspectiveCamera, Quaternion, Scene, SkeletonHelper, Vector3,
  WebGLRenderer,
} from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";

const loader = new GLTFLoader();
loader.register((parser) => new VRMLoaderPlugin(parser));
loader.register((parser) => new VRMAnimationLoaderPlugin(parser));

const renderer = new WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
renderer.setSize(480, 560);
document.body.append(renderer.domElement);
const scene = new Scene();
scene.background = new Color(0x55606a);
scene.add(new AmbientLight(0xffffff, 1.2));
const sun = new DirectionalLight(0xffffff, 2.5);
sun.position.set(1, 2, 3);
scene.add(sun);
const camera = new PerspectiveCamera(28, 480 / 560, 0.05, 50);

let vrm, mixer, clip, own, rest;

/** Load a model and, where given, a clip for it; otherwise the model's own animation plays. */
async function open(model, motion) {
  const gltf = await loader.loadAsync(model);
  vrm = gltf.userData.vrm;
  VRMUtils.rotateVRM0(vrm);
  scene.add(vrm.scene);
  scene.add(new SkeletonHelper(vrm.scene));
  vrm.scene.updateMatrixWorld(true);
  const bones = Object.keys(vrm.humanoid.humanBones);
  rest = Object.fromEntries(bones.map((name) => [name, raw(name).getWorldQuaternion(new Quaternion()).invert()]));
  own = !motion;
  mixer = new AnimationMixer(vrm.scene);
  if (own) {
    vrm.humanoid.autoUpdateHumanBones = false;
    vrm.expressionManager = undefined;
    vrm.lookAt = undefined;
    clip = gltf.animations[0];
  } else {
    const proxy = new VRMLookAtQuaternionProxy(vrm.lookAt);
    proxy.name = "lookAtProxy";
    vrm.scene.add(proxy);
    const animation = (await loader.loadAsync(motion)).userData.vrmAnimations[0];
    clip = createVRMAnimationClip(animation, vrm);
  }
  mixer.clipAction(clip).play();
  return { version: vrm.meta.metaVersion, bones, tracks: clip.tracks.length, duration: clip.duration };
}

const raw = (name) => vrm.humanoid.getRawBoneNode(name);

/** Pose at a time: world places and turns of the bones since rest, local turns, levels of expressions, morphs. */
function at(time) {
  mixer.setTime(time);
  vrm.update(0);
  vrm.scene.updateMatrixWorld(true);
  const bones = {};
  for (const name of Object.keys(vrm.humanoid.humanBones)) {
    const node = raw(name);
    bones[name] = {
      place: node.getWorldPosition(new Vector3()).toArray(),
      turn: node.getWorldQuaternion(new Quaternion()).multiply(rest[name]).toArray(),
      local: vrm.humanoid.getNormalizedBoneNode(name).quaternion.toArray(),
    };
  }
  const expressions = Object.fromEntries((vrm.expressionManager?.expressions ?? []).map((e) => [e.expressionName, e.weight]));
  const morphs = {};
  vrm.scene.traverse((o) => {
    if (o.isMesh && o.morphTargetInfluences) morphs[o.name] = [Object.keys(o.morphTargetDictionary), [...o.morphTargetInfluences]];
  });
  const gaze = vrm.lookAt ? [vrm.lookAt.yaw, vrm.lookAt.pitch] : null;
  return { bones, expressions, morphs, gaze };
}

function look(view) {
  const head = raw("head").getWorldPosition(new Vector3());
  const hips = raw("hips").getWorldPosition(new Vector3());
  const [aim, far] = view === "face" ? [head.clone().add(new Vector3(0, 0.08, 0)), 0.9] : [hips.clone().lerp(head, 0.35), 4.2];
  camera.position.set(aim.x, aim.y, aim.z + far);
  camera.lookAt(aim);
  renderer.render(scene, camera);
}

window.check = { open, at, look };
