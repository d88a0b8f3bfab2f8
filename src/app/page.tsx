import { redirect } from "next/navigation";

/** The portal is what people look for here. */
export default function StartPage(): never {
  redirect("/portal");
}
