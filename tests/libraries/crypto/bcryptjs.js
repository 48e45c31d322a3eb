import bcrypt from "bcryptjs";
import { used } from "../used.js";

export default used(async () => {
  const hash = await bcrypt.hash("secret", 4);
  return [hash.length, await bcrypt.compare("secret", hash), await bcrypt.compare("other", hash), bcrypt.getRounds(hash), bcrypt.compareSync("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i")];
}, [60, true, false, 4, true]);
