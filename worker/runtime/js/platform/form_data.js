// Bodies of type multipart/form-data are read by multipart.js, which loads when the first one comes.
(function () {
  const { core } = __bootstrap;
  const formData = core.loadExtScript("ext:deno_fetch/21_formdata.js");
  // Before 22_body.js takes the function from there.
  formData.parseFormData = (bytes, boundary) =>
    core.loadExtScript("ext:nano_platform/multipart.js").parse(bytes, boundary);
  return {};
})();
