# Jekyll would write a page for each post, and its check for files seen twice takes far longer than
# the feeds (jekyll/site.rb, each_site_file). No option turns that off.
Jekyll::Hooks.register :site, :after_init do |site|
  site.config["collections"]["posts"]["output"] = false
end
