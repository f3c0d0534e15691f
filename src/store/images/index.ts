export { idOf, imageFor, imagesOf, isNamed, type NamedImage, withImage } from "./platform-images.ts";
