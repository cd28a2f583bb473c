#include <node_api.h>
#include <node_version.h>

#include <string>

static napi_value Built(napi_env env, napi_callback_info) {
  std::string text = "built for Node " + std::to_string(NODE_MAJOR_VERSION);
  napi_value value;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}

static napi_value Init(napi_env env, napi_value exports) {
  napi_value built;
  napi_create_function(env, "built", NAPI_AUTO_LENGTH, Built, nullptr, &built);
  napi_set_named_property(env, exports, "built", built);
  return exports;
}

NAPI_MODULE(NODE_GYP_MODULE_NAME, Init)
